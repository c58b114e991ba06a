"""Bulk calls of matches and interactions: how they name their parents, and what the stats become."""

import asyncio
import json
import unicodedata
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.mongo import Mongo
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.consistency import orphans
from backend.tests.raw import raw

ABSENT = "f" * 24
PATHS: dict[str, Json] = {
    "/job-matches/": {"relevancy_score": 0.5},
    "/interactions/": {"interaction_type": "viewed"},
}
COLLECTIONS = {"/job-matches/": "job_matches", "/interactions/": "user_job_interactions"}
each_path = pytest.mark.parametrize("path", PATHS)


async def outcomes(client: Client, path: str, *items: Json, **query: Any) -> list[Json]:
    found: list[Json] = (await client.bulk(path, items, report="all", **query)).json()["items"]
    return found


def faults(outcome: Json) -> list[tuple[str, str]]:
    return [(fault["pointer"], fault["detail"]) for fault in outcome["errors"]]


@each_path
async def test_a_parent_is_named_by_id_or_by_name(client: Client, mongo: Mongo, path: str) -> None:
    user, job = await client.user(), await client.job()
    users = ({"user_id": user["id"]}, {"user_email": user["email"]}, {"user_id": user["id"].upper()})
    jobs = ({"job_id": job["id"]}, {"job_external_id": job["external_id"]})

    sent = [{**PATHS[path], **one, **other} for one in users for other in jobs]
    told = await outcomes(client, path, *sent)

    assert [one["status"] for one in told] == ["created"] + ["unchanged"] * 5
    assert {(one["id"], one["user_id"], one["job_id"]) for one in told} == {
        (told[0]["id"], user["id"], job["id"])
    }
    (stored,) = await mongo[COLLECTIONS[path]].find().to_list(None)
    assert (stored["user_id"], stored["job_id"]) == (ObjectId(user["id"]), ObjectId(job["id"]))
    assert not {"user_email", "job_external_id"} & set(stored)


@each_path
@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        ("ada@example.com", "ADA@Example.COM"),
        ("z\u00fcl\u00e4@example.com", unicodedata.normalize("NFD", "Z\u00dcL\u00c4@example.com")),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ada@b\u00fccher.example", "Ada@B\u00dcCHER.example"),
        ("ada@example.com", "ada@\uff45xample.com"),
    ],
)
async def test_an_address_is_the_same_however_it_is_written(
    client: Client, path: str, kept: str, sent: str
) -> None:
    user, job = await client.user(email=kept), await client.job()

    (told,) = await outcomes(client, path, {**PATHS[path], "user_email": sent, "job_id": job["id"]})

    assert (told["status"], told["user_id"]) == ("created", user["id"])


@each_path
@pytest.mark.parametrize(
    ("named", "wrong"),
    [
        ({"user_id": ABSENT}, [("/user_id", "User not found")]),
        ({"user_email": "nobody@example.com"}, [("/user_email", "User not found")]),
        ({"user_email": "no address"}, [("/user_email", "User not found")]),
        ({"user_email": "\u0130@\u0130", "user_id": None}, [("/user_email", "User not found")]),
        ({"job_id": ABSENT}, [("/job_id", "Job not found")]),
        ({"job_external_id": "none"}, [("/job_external_id", "Job not found")]),
        (
            {"user_id": ABSENT, "job_id": ABSENT},
            [("/user_id", "User not found"), ("/job_id", "Job not found")],
        ),
        ({"user_id": "5"}, [("/user_id", "Invalid user ID")]),
        ({"job_id": "x" * 24}, [("/job_id", "Invalid job ID")]),
        ({"user_id": None}, [("", "Either user_id or user_email is needed")]),
        ({"job_id": None, "job_external_id": None}, [("", "Either job_id or job_external_id is needed")]),
    ],
)
async def test_an_item_whose_parent_is_not_there_is_refused_alone(
    client: Client, mongo: Mongo, path: str, named: Json, wrong: list[tuple[str, str]]
) -> None:
    user, job = await client.user(), await client.job()
    usual = {"user_id": user["id"], "job_id": job["id"]}
    replaced = {"user_email": "user_id", "job_external_id": "job_id"}
    bad = {**PATHS[path], **usual, **named}
    for name, other in replaced.items():
        if named.get(name) is not None and other not in named:
            del bad[other]

    told = await outcomes(client, path, bad, {**PATHS[path], **usual}, {**bad, "nonsense": 1})

    assert [one["status"] for one in told] == ["rejected", "created", "rejected"]
    assert faults(told[0]) == wrong
    assert set(wrong) <= {*faults(told[2])} or wrong[0][0] == ""
    assert ("/nonsense", "No such field, or one that cannot be set here") in faults(told[2])
    assert told[0].get("interaction_type") == PATHS[path].get("interaction_type")
    assert await mongo[COLLECTIONS[path]].count_documents({}) == 1


@each_path
async def test_a_parent_is_named_once(client: Client, path: str) -> None:
    user, job = await client.user(), await client.job()
    both = {"user_id": user["id"], "user_email": user["email"], "job_id": job["id"]}

    (told,) = await outcomes(client, path, {**PATHS[path], **both})

    assert faults(told) == [("", "Either user_id or user_email is needed")]
    assert told["errors"][0]["code"] == "parent_name"


@each_path
async def test_a_parent_that_is_removed_between_two_calls_is_missed_by_the_second(
    client: Client, mongo: Mongo, path: str
) -> None:
    users, job = [await client.user() for _ in range(2)], await client.job()
    sent = [{**PATHS[path], "user_email": user["email"], "job_id": job["id"]} for user in users]
    await outcomes(client, path, *sent)
    await client.delete(f"/users/{users[0]['id']}")

    told = await outcomes(client, path, *sent)

    assert [one["status"] for one in told] == ["rejected", "unchanged"]
    assert await orphans(mongo) == []


@each_path
async def test_a_name_that_is_another_users_now_means_that_one(client: Client, path: str) -> None:
    old, job = await client.user(email="ada@example.com"), await client.job()
    sent = {**PATHS[path], "user_email": "ada@example.com", "job_id": job["id"]}
    await outcomes(client, path, sent)
    await client.patch(f"/users/{old['id']}", json={"email": "lovelace@example.com"})
    new = await client.user(email="ada@example.com")

    (told,) = await outcomes(client, path, sent)

    assert (told["status"], told["user_id"]) == ("created", new["id"])


async def test_a_merge_needs_the_parents_and_what_it_changes(client: Client) -> None:
    made = await client.match(match_reason="close", match_details={"skills_missing": ["Go"]})
    user = (await client.get(f"/users/{made['user_id']}")).json()
    patch = {"user_email": user["email"], "job_id": made["job_id"], "match_reason": None}

    first, again = [await outcomes(client, "/job-matches/", patch, mode="merge") for _ in range(2)]

    assert [one["status"] for one in (*first, *again)] == ["updated", "unchanged"]
    assert (await client.get(f"/job-matches/{made['id']}")).json() == {**made, "match_reason": None}


async def stats(client: Client, user: str) -> Json:
    found: Json = (await client.get(f"/users/{user}/stats")).json()
    return found


async def test_stats_count_what_a_user_viewed_and_saved(client: Client) -> None:
    ada, grace = [(await client.user())["id"] for _ in range(2)]
    jobs = [(await client.job())["id"] for _ in range(3)]
    await client.interaction(user_id=ada, job_id=jobs[2], interaction_type="saved")
    sent = [samples.interaction(ada, job) for job in jobs]
    sent += [samples.interaction(ada, jobs[0], interaction_type=kind) for kind in ("saved", "applied")]
    untouched = await stats(client, grace)

    await outcomes(client, "/interactions/", *sent)

    found = await stats(client, ada)
    assert (found["jobs_viewed"], found["jobs_saved"]) == (3, 2)
    assert found["last_calculated"] >= found["created_at"]
    assert await stats(client, grace) == untouched


@pytest.mark.parametrize(
    ("missing", "top"),
    [
        ([["Go"], ["Rust", "Go"], ["Rust"], ["Rust"]], "Rust"),
        ([["Rust"], ["Go"]], "Go"),
        ([["b"], ["B"], ["a"]], "B"),
        ([["Go", "Go", "Go"], ["Rust"], ["Rust"]], "Rust"),
        ([[], []], None),
    ],
)
async def test_the_skill_that_most_matches_miss_is_the_first_by_name_of_several(
    client: Client, missing: list[list[str]], top: str | None
) -> None:
    user = (await client.user())["id"]
    await client.patch(f"/users/{user}/stats", json={"top_missing_skill": "Cobol"})
    sent = [
        samples.match(user, (await client.job())["id"], match_details={"skills_missing": skills})
        for skills in missing
    ]

    await outcomes(client, "/job-matches/", *sent)

    assert (await stats(client, user))["top_missing_skill"] == top


async def test_a_match_that_is_not_active_any_more_misses_nothing(client: Client) -> None:
    user = (await client.user())["id"]
    sent = [
        samples.match(user, (await client.job())["id"], match_details={"skills_missing": [skill]})
        for skill in ("Go", "Rust")
    ]
    await outcomes(client, "/job-matches/", *sent)

    await outcomes(client, "/job-matches/", {**sent[0], "is_active": False}, as_lines=True)

    assert (await stats(client, user))["top_missing_skill"] == "Rust"


async def test_a_dry_run_and_a_refused_item_leave_the_stats_alone(client: Client) -> None:
    user, job = (await client.user())["id"], (await client.job())["id"]
    before = await stats(client, user)

    await outcomes(client, "/interactions/", samples.interaction(user, job), dry_run=True)
    await outcomes(client, "/interactions/", samples.interaction(user, job, interaction_type="seen"))

    assert await stats(client, user) == before


@pytest.mark.parametrize("query", [{"atomic": True}, {"key": "once"}, {"as_lines": True}])
async def test_stats_are_true_however_the_call_is_made(client: Client, query: dict[str, Any]) -> None:
    user, job = (await client.user())["id"], (await client.job())["id"]

    await client.bulk("/interactions/", [samples.interaction(user, job)], **query)

    assert (await stats(client, user))["jobs_viewed"] == 1


async def test_a_call_that_breaks_off_leaves_the_stats_true(
    client: Client, mongo: Mongo, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.app.bulk.batches.ITEMS_IN_A_BATCH", 2)
    user, jobs = (await client.user())["id"], [(await client.job())["id"] for _ in range(6)]
    lines = b"".join(json.dumps(samples.interaction(user, job)).encode() + b"\n" for job in jobs)
    sent = {"type": "http.request", "body": lines + b'{"user_id', "more_body": True}

    answer = await raw(
        app, "POST", "/interactions/bulk", [(b"content-type", b"application/x-ndjson")], messages=[sent]
    )

    assert answer is not None
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert await mongo["user_job_interactions"].count_documents({}) == 6
    assert (await stats(client, user))["jobs_viewed"] == 6


async def test_calls_at_once_on_one_user_end_with_true_stats(client: Client, mongo: Mongo) -> None:
    users = [(await client.user())["id"] for _ in range(3)]
    jobs = [(await client.job())["id"] for _ in range(12)]
    calls = [
        client.bulk(
            "/interactions/", [samples.interaction(user, job, interaction_type=kind) for user in users]
        )
        for job in jobs
        for kind in ("viewed", "saved")
    ] + [
        client.bulk(
            "/job-matches/",
            [samples.match(user, job, match_details={"skills_missing": ["Go"]}) for user in users],
        )
        for job in jobs
    ]

    answers = await asyncio.gather(*calls)

    assert {answer.status_code for answer in answers} == {200}
    for user in users:
        found = await stats(client, user)
        assert (found["jobs_viewed"], found["jobs_saved"], found["top_missing_skill"]) == (12, 12, "Go")
