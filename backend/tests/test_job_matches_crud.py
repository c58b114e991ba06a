"""Matches, as the guide has them and as the contract settles the rest."""

from typing import Any

import pytest

from backend.app.db.mongo import Mongo
from backend.tests import samples
from backend.tests.client import Client

GONE = "5" * 24


async def test_the_second_match_of_a_pair_takes_the_place_of_the_first(client: Client) -> None:
    first = await client.match(match_reason="Strong", match_details={"skills_matched": ["Python"]})
    body = samples.match(first["user_id"], first["job_id"], relevancy_score=0.9)

    second = await client.post("/job-matches/", json=body)

    assert second.status_code == 200
    assert second.json()["id"] == first["id"]
    assert second.json()["relevancy_score"] == 0.9
    assert second.json()["match_reason"] is None
    assert second.json()["match_details"] is None
    assert len((await client.get("/job-matches/")).json()) == 1


async def test_a_client_may_ask_for_a_conflict_instead(client: Client) -> None:
    body = samples.match((await client.user())["id"], (await client.job())["id"])

    first = await client.post("/job-matches/?on_conflict=error", json=body)
    second = await client.post("/job-matches/?on_conflict=error", json={**body, "relevancy_score": 1})

    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["detail"] == "Match with this user_id and job_id already exists"
    assert (await client.get(f"/job-matches/{first.json()['id']}")).json() == first.json()


async def test_the_snapshot_is_taken_from_the_user_unless_sent(client: Client) -> None:
    user = await client.user(preferences={"skills": ["Go"]}, credentials={"years_experience": 3})
    sent = {"preferences_at_match": {"location": "Remote"}, "credentials_at_match": {}}

    taken = await client.match(user_id=user["id"])
    given = await client.match(user_id=user["id"], user_snapshot=sent)
    await client.patch(f"/users/{user['id']}", json={"credentials": {"years_experience": 4}})
    later = await client.get(f"/job-matches/{taken['id']}")

    assert taken["user_snapshot"]["preferences_at_match"]["skills"] == ["Go"]
    assert later.json()["user_snapshot"]["credentials_at_match"] == {"years_experience": 3}
    assert given["user_snapshot"] == sent


async def test_values_that_look_like_expressions_stay_what_they_are(client: Client) -> None:
    made = await client.match(match_reason="$user_id", match_details={"skills_missing": ["$$ROOT"]})
    again = await client.post(
        "/job-matches/", json=samples.match(made["user_id"], made["job_id"], match_reason="$$REMOVE")
    )

    assert made["match_reason"] == "$user_id"
    assert made["match_details"]["skills_missing"] == ["$$ROOT"]
    assert again.json()["match_reason"] == "$$REMOVE"


@pytest.mark.parametrize("on_conflict", ["replace", "error"])
async def test_a_match_of_a_missing_parent_is_not_stored(
    client: Client, mongo: Mongo, on_conflict: str
) -> None:
    user, job = await client.user(), await client.job()
    path = f"/job-matches/?on_conflict={on_conflict}"

    no_user = await client.post(path, json=samples.match(GONE, job["id"]))
    no_job = await client.post(path, json=samples.match(user["id"], GONE))

    assert (no_user.status_code, no_user.json()["detail"]) == (404, "User not found")
    assert (no_job.status_code, no_job.json()["detail"]) == (404, "Job not found")
    assert await mongo.db["job_matches"].count_documents({}) == 0


async def test_a_users_matches_are_listed_best_first_and_active_unless_asked(client: Client) -> None:
    user = await client.user()
    for score, active in ((0.2, True), (0.9, True), (0.5, False)):
        await client.match(user_id=user["id"], relevancy_score=score, is_active=active)
    await client.match(relevancy_score=1)

    async def scores(query: str = "") -> list[float]:
        found = await client.get(f"/job-matches/user/{user['id']}{query}")
        return [match["relevancy_score"] for match in found.json()]

    assert await scores() == [0.9, 0.2]
    assert await scores("?is_active=false") == [0.5]
    assert await scores("?is_active=any") == [0.9, 0.5, 0.2]


async def test_a_postings_matches_are_listed_best_first(client: Client) -> None:
    job = await client.job()
    for score in (0.2, 0.9):
        await client.match(job_id=job["id"], relevancy_score=score)
    await client.match()

    found = await client.get(f"/job-matches/job/{job['id']}")

    assert [match["relevancy_score"] for match in found.json()] == [0.9, 0.2]


@pytest.mark.parametrize("path", ["/job-matches/user/", "/job-matches/job/"])
async def test_one_that_is_gone_has_no_matches(client: Client, path: str) -> None:
    response = await client.get(path + GONE)

    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize(
    "change",
    [
        {"relevancy_score": 1.01},
        {"relevancy_score": -0.01},
        {"relevancy_score": None},
        {"match_details": {"overall_compatibility": 2}},
        {"user_snapshot": {"preferences_at_match": []}},
        {"user_snapshot": {"credentials_at_match": {"$where": "1"}}},
        {"matched_at": "yesterday"},
    ],
)
async def test_what_a_match_may_not_hold_is_refused(client: Client, change: dict[str, Any]) -> None:
    made = await client.match()

    posted = await client.post("/job-matches/", json=samples.match(made["user_id"], made["job_id"]) | change)
    patched = await client.patch(f"/job-matches/{made['id']}", json=change)

    assert (posted.status_code, patched.status_code) == (422, 422)
    assert (await client.get(f"/job-matches/{made['id']}")).json() == made


@pytest.mark.parametrize("field", ["user_id", "job_id"])
async def test_the_pair_is_fixed(client: Client, field: str) -> None:
    made = await client.match()

    response = await client.patch(f"/job-matches/{made['id']}", json={field: made[field]})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"/{field}"
