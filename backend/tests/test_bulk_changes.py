"""Bulk calls: what an item changes of a document that stands, and whether it is told true."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backend.app.db.mongo import Mongo
from backend.tests import samples
from backend.tests.client import Client, Json

LONG_AGO = "2020-01-02T03:04:05Z"


async def statuses(client: Client, path: str, *items: Any, **query: Any) -> list[str]:
    answer = (await client.bulk(path, items, report="all", **query)).json()
    return [item["status"] for item in answer["items"]]


async def only(mongo: Mongo, name: str) -> dict[str, Any]:
    (document,) = await mongo[name].find().to_list(None)
    found: dict[str, Any] = document
    return found


async def test_what_is_sent_unchanged_is_not_written_again(client: Client, mongo: Mongo) -> None:
    job = samples.job(salary_range={"min": 1}, source_url="https://example.com/1")
    await client.bulk("/jobs/", [job])
    before = await only(mongo, "jobs")
    tag = (await client.get(f"/jobs/{before['_id']}")).headers["etag"]

    same = await statuses(client, "/jobs/", job)
    in_other_words = await statuses(
        client, "/jobs/", {**dict(reversed(job.items())), "is_active": True, "remote_type": None}
    )

    assert same == in_other_words == ["unchanged"]
    assert await only(mongo, "jobs") == before
    assert (await client.get(f"/jobs/{before['_id']}")).headers["etag"] == tag


async def test_a_replacement_keeps_the_id_and_takes_away_what_it_does_not_name(client: Client) -> None:
    job = samples.job()
    made = await client.job(**job, salary_range={"min": 1}, remote_type="hybrid", skills_required=["Go"])

    assert await statuses(client, "/jobs/", job) == ["updated"]

    stands = (await client.get(f"/jobs/{made['id']}")).json()
    assert stands["updated_at"] is not None
    gone: Json = {"salary_range": None, "remote_type": None, "skills_required": []}
    assert stands == {**made, **gone, "updated_at": stands["updated_at"]}


async def test_a_merge_changes_what_it_names_and_null_takes_away(client: Client) -> None:
    made = await client.job(salary_range={"min": 1, "max": 2}, remote_type="hybrid", skills_required=["Go"])
    patch = {"external_id": made["external_id"], "salary_range": {"min": None, "max": 3}, "remote_type": None}

    assert await statuses(client, "/jobs/", patch, mode="merge") == ["updated"]
    assert await statuses(client, "/jobs/", patch, mode="merge") == ["unchanged"]

    stands = (await client.get(f"/jobs/{made['id']}")).json()
    changed = {"salary_range": {"min": None, "max": 3, "currency": "USD"}, "remote_type": None}
    assert stands == {**made, **changed, "updated_at": stands["updated_at"]}


async def test_a_merge_into_nothing_needs_what_is_required(client: Client) -> None:
    whole, part = samples.job(remote_type=None), {"external_id": "new", "title": "Engineer"}

    answer = (await client.bulk("/jobs/", [whole, part], mode="merge")).json()

    assert [item["status"] for item in answer["items"]] == ["created", "rejected"]
    assert [fault["pointer"] for fault in answer["items"][1]["errors"]] == [
        "/company",
        "/description",
        "/location",
    ]


async def test_a_merge_is_held_against_the_whole_that_results(client: Client) -> None:
    made = await client.job(salary_range={"min": 5})
    patch = {"external_id": made["external_id"], "salary_range": {"max": 4}}

    (told,) = (await client.bulk("/jobs/", [patch], mode="merge")).json()["items"]

    assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [("/salary_range", "range")]
    assert (await client.get(f"/jobs/{made['id']}")).json() == made


@pytest.mark.parametrize("apart", [0, 1_200])
async def test_of_a_key_that_comes_twice_the_last_wins(client: Client, mongo: Mongo, apart: int) -> None:
    job, between = samples.job(), [samples.job() for _ in range(apart)]
    sent = [job, *between, {**job, "title": "Clerk"}, {**job, "title": ""}]

    told = (await client.bulk("/jobs/", sent)).json()["items"]

    first, *others = [item for item in told if item["external_id"] == job["external_id"]]
    assert [first["status"], *(item["status"] for item in others)] == ["created", "updated", "rejected"]
    assert others[0]["id"] == first["id"]
    assert (await client.get(f"/jobs/{first['id']}")).json()["title"] == "Clerk"
    assert await mongo["jobs"].count_documents({}) == 1 + apart


async def test_the_first_of_two_is_not_taken_for_what_stands(client: Client) -> None:
    job = samples.job()
    clerk = {**job, "title": "Clerk"}
    await client.bulk("/jobs/", [job, clerk])

    assert await statuses(client, "/jobs/", clerk) == ["unchanged"]
    assert await statuses(client, "/jobs/", job) == ["updated"]


async def test_a_merge_is_not_taken_for_a_replacement(client: Client) -> None:
    made = await client.job(remote_type="hybrid")
    whole = {name: made[name] for name in samples.job()}
    assert await statuses(client, "/jobs/", {**whole, "title": "Clerk"}, mode="merge") == ["updated"]

    assert await statuses(client, "/jobs/", {**whole, "title": "Clerk"}) == ["updated"]

    assert (await client.get(f"/jobs/{made['id']}")).json()["remote_type"] is None


Meddling = Callable[[Client, str], Awaitable[Any]]


@pytest.mark.parametrize(
    "meddle",
    [
        lambda client, path: client.patch(path, json={"title": "Clerk"}),
        lambda client, path: client.put(path, json={"title": "Clerk"}),
        lambda client, path: client.patch(path, json={"remote_type": "hybrid"}),
        lambda client, path: client.patch(path, json={"is_active": False}),
    ],
)
async def test_what_somebody_changed_meanwhile_is_updated(client: Client, meddle: Meddling) -> None:
    job = samples.job()
    (told,) = (await client.bulk("/jobs/", [job])).json()["items"]
    path = f"/jobs/{told['id']}"
    first = (await client.get(path)).json()
    await meddle(client, path)

    assert await statuses(client, "/jobs/", job) == ["updated"]

    stands = (await client.get(path)).json()
    assert stands == {**first, "updated_at": stands["updated_at"]}


async def test_what_was_changed_there_and_back_is_unchanged(client: Client, mongo: Mongo) -> None:
    job = samples.job()
    (told,) = (await client.bulk("/jobs/", [job])).json()["items"]
    for title in ("Clerk", job["title"]):
        await client.patch(f"/jobs/{told['id']}", json={"title": title})
    before = await only(mongo, "jobs")

    assert await statuses(client, "/jobs/", job) == ["unchanged"]
    assert await only(mongo, "jobs") == before


async def test_what_was_removed_meanwhile_is_created_anew(client: Client) -> None:
    job = samples.job()
    (told,) = (await client.bulk("/jobs/", [job])).json()["items"]
    await client.delete(f"/jobs/{told['id']}")
    clerk = await client.job(**{**job, "title": "Clerk"})

    assert await statuses(client, "/jobs/", job) == ["updated"]
    await client.delete(f"/jobs/{clerk['id']}")
    assert await statuses(client, "/jobs/", job) == ["created"]


async def test_a_match_that_was_posted_meanwhile_is_updated(client: Client, mongo: Mongo) -> None:
    user, job = (await client.user())["id"], (await client.job())["id"]
    sent = samples.match(user, job, match_reason="close")
    await client.bulk("/job-matches/", [sent])
    (posted,) = [await client.post("/job-matches/", json=samples.match(user, job))]
    assert posted.status_code == 200

    assert await statuses(client, "/job-matches/", sent) == ["updated"]
    assert await statuses(client, "/job-matches/", sent) == ["unchanged"]

    stands = await only(mongo, "job_matches")
    assert (str(stands["_id"]), stands["match_reason"]) == (posted.json()["id"], "close")


async def test_documents_from_before_seals_and_revisions_are_told_apart_too(
    client: Client, mongo: Mongo
) -> None:
    kept, changed = samples.job(), samples.job()
    for job in (kept, changed):
        await client.job(**job)
    await mongo["jobs"].update_many({}, {"$unset": {"revision": "", "seal": ""}})

    sent = [kept, {**changed, "title": "Clerk"}]
    first = await statuses(client, "/jobs/", *sent)
    again = await statuses(client, "/jobs/", *sent)

    assert (first, again) == (["unchanged", "updated"], ["unchanged", "unchanged"])
    assert await mongo["jobs"].count_documents({"title": "Clerk"}) == 1


async def test_a_time_that_is_left_out_is_no_change_and_a_posting_keeps_its_own(client: Client) -> None:
    made = await client.job(posted_date=LONG_AGO)
    job = {name: made[name] for name in samples.job()}

    assert await statuses(client, "/jobs/", job) == ["unchanged"]
    assert await statuses(client, "/jobs/", {**job, "title": "Clerk"}) == ["updated"]

    assert (await client.get(f"/jobs/{made['id']}")).json()["posted_date"] == LONG_AGO
    later = {**job, "title": "Clerk", "posted_date": "2021-01-01T00:00:00+02:00"}
    assert await statuses(client, "/jobs/", later) == ["updated"]
    assert (await client.get(f"/jobs/{made['id']}")).json()["posted_date"] == "2020-12-31T22:00:00Z"


async def test_a_time_and_a_snapshot_left_out_of_a_match_are_filled_anew_with_a_change(
    client: Client,
) -> None:
    user = await client.user(credentials={"years": 1})
    made = await client.match(user_id=user["id"], matched_at=LONG_AGO)
    sent = samples.match(user["id"], made["job_id"])
    await client.patch(f"/users/{user['id']}", json={"credentials": {"years": 2}})

    assert await statuses(client, "/job-matches/", sent) == ["unchanged"]
    assert (await client.get(f"/job-matches/{made['id']}")).json() == made
    assert await statuses(client, "/job-matches/", {**sent, "relevancy_score": 1}) == ["updated"]

    stands = (await client.get(f"/job-matches/{made['id']}")).json()
    assert stands["user_snapshot"]["credentials_at_match"] == {"years": 2}
    assert stands["matched_at"] > LONG_AGO


async def test_a_merge_that_takes_a_time_away_has_it_filled_anew(client: Client) -> None:
    made = await client.job(posted_date=LONG_AGO)
    patch = {"external_id": made["external_id"], "posted_date": None}

    assert await statuses(client, "/jobs/", patch, mode="merge") == ["updated"]
    alone = await client.patch(f"/jobs/{made['id']}", json={"posted_date": None})

    assert (await client.get(f"/jobs/{made['id']}")).json()["posted_date"] > LONG_AGO
    assert alone.status_code == 200


async def test_an_interaction_is_one_of_its_type(client: Client, mongo: Mongo) -> None:
    made = await client.interaction(timestamp=LONG_AGO)
    named = {"user_id": made["user_id"], "job_id": made["job_id"]}
    saved = {**named, "interaction_type": "saved", "timestamp": LONG_AGO}
    later = {**named, "interaction_type": "viewed", "timestamp": "2021-01-01T00:00:00Z"}

    assert await statuses(client, "/interactions/", saved, later, saved, later) == [
        "created",
        "updated",
        "unchanged",
        "unchanged",
    ]

    assert await mongo["user_job_interactions"].count_documents({}) == 2
    assert (await client.get(f"/interactions/{made['id']}")).json() == {**made, **later}


async def test_integers_of_sixty_four_bits_are_kept_to_the_last_one(client: Client) -> None:
    made = await client.match()
    sent = samples.match(made["user_id"], made["job_id"])
    for number in (2**63 - 1, 2**63 - 2, -(2**63)):
        snapshot = {"preferences_at_match": {"n": number}, "credentials_at_match": {"n": [float(2**53), 1]}}
        item = {**sent, "user_snapshot": snapshot}
        assert await statuses(client, "/job-matches/", item) == ["updated"]
        assert await statuses(client, "/job-matches/", {**item, "is_active": True}) == ["unchanged"]
        found = (await client.get(f"/job-matches/{made['id']}")).json()["user_snapshot"]
        assert found == snapshot

    too_long = {**sent, "user_snapshot": {"preferences_at_match": {"n": 2**63}}}
    assert await statuses(client, "/job-matches/", too_long) == ["rejected"]
    assert await statuses(client, "/job-matches/", too_long, mode="merge") == ["rejected"]
