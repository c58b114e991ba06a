"""Bulk calls at once, over the same keys: no error, no duplicate, and each outcome told once."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.consistency import orphans, users_without_stats

PATHS = {"/jobs/": "jobs", "/job-matches/": "job_matches", "/interactions/": "user_job_interactions"}
each_path = pytest.mark.parametrize("path", PATHS)
each_form = pytest.mark.parametrize(
    "form",
    [{}, {"as_lines": True}, {"atomic": True}, {"keyed": True}],
    ids=lambda form: "".join(form) or "array",
)


async def fresh(client: Client, path: str, many: int) -> list[Json]:
    """Items that nobody has sent yet."""
    if path == "/jobs/":
        return [samples.job() for _ in range(many)]
    users = [(await client.user())["id"] for _ in range(2)]
    jobs = [(await client.job())["id"] for _ in range(many // 2)]
    make = samples.match if path == "/job-matches/" else samples.interaction
    return [make(user, job) for user in users for job in jobs]


async def send(client: Client, path: str, items: Sequence[Json], **form: Any) -> httpx.Response:
    if form.pop("keyed", False):
        form["key"] = str(ObjectId())
    return await client.bulk(path, items, report="all", **form)


def shuffled(items: Sequence[Json]) -> list[Json]:
    return random.sample(items, len(items))


def added(answers: Sequence[httpx.Response]) -> Counter[str]:
    assert {answer.status_code for answer in answers} == {200}, [answer.text[:200] for answer in answers]
    return sum((Counter(answer.json()["summary"]) for answer in answers), Counter())


def told_by_document(answers: Sequence[httpx.Response]) -> dict[str, Counter[str]]:
    told: dict[str, Counter[str]] = {}
    for answer in answers:
        for item in answer.json()["items"]:
            told.setdefault(item["id"], Counter())[item["status"]] += 1
    return told


@each_path
@each_form
async def test_of_equal_calls_one_creates_each_and_the_others_find_it(
    client: Client, mongo: Mongo, path: str, form: dict[str, Any]
) -> None:
    items = await fresh(client, path, 30)

    answers = await asyncio.gather(*(send(client, path, shuffled(items), **form) for _ in range(6)))

    assert added(answers) == {"created": 30, "unchanged": 150}
    assert set(map(frozenset, (told.items() for told in told_by_document(answers).values()))) == {
        frozenset({("created", 1), ("unchanged", 5)})
    }
    assert await mongo[PATHS[path]].count_documents({}) == 30


@each_form
async def test_of_calls_that_disagree_each_status_fits_one_order(
    client: Client, mongo: Mongo, form: dict[str, Any]
) -> None:
    jobs = await fresh(client, "/jobs/", 20)

    answers = await asyncio.gather(
        *(
            send(client, "/jobs/", shuffled([{**job, "title": f"T{number}"} for job in jobs]), **form)
            for number in range(5)
        )
    )

    assert added(answers) == {"created": 20, "updated": 80}
    documents = await mongo["jobs"].find().to_list(None)
    assert len(documents) == 20
    assert {document["title"] for document in documents} <= {f"T{number}" for number in range(5)}
    assert {document["revision"] for document in documents} == {5}


async def test_merges_of_different_fields_are_all_there(client: Client, mongo: Mongo) -> None:
    jobs = await fresh(client, "/jobs/", 10)
    await client.bulk("/jobs/", jobs)
    wanted = {
        "title": "Clerk",
        "company": "Globex",
        "description": "Files things.",
        "location": "Oslo",
        "remote_type": "hybrid",
        "source_platform": "Indeed",
    }

    answers = await asyncio.gather(
        *(
            send(
                client,
                "/jobs/",
                shuffled([{"external_id": job["external_id"], name: value} for job in jobs]),
                mode="merge",
            )
            for name, value in wanted.items()
        )
    )

    assert added(answers) == {"updated": 60}
    assert await mongo["jobs"].count_documents(wanted) == 10


async def test_changes_one_by_one_beside_a_merge_are_not_lost(client: Client, mongo: Mongo) -> None:
    jobs = [await client.job() for _ in range(10)]
    merges = [
        send(
            client,
            "/jobs/",
            [{"external_id": job["external_id"], "salary_range": {"min": number}} for job in jobs],
            mode="merge",
        )
        for number in range(4)
    ]
    patches = [client.patch(f"/jobs/{job['id']}", json={"title": "Clerk"}) for job in jobs]

    answers = await asyncio.gather(*merges, *patches)

    assert {answer.status_code for answer in answers} == {200}
    told = told_by_document(answers[:4])
    assert {counts["updated"] + counts["unchanged"] for counts in told.values()} == {4}
    assert await mongo["jobs"].count_documents({"title": "Clerk", "salary_range.min": {"$gte": 0}}) == 10


async def test_postings_removed_and_posted_beside_are_each_told_as_they_were(
    client: Client, mongo: Mongo
) -> None:
    jobs = [await client.job() for _ in range(12)]
    items = [{name: job[name] for name in samples.job()} for job in jobs]

    async def remove_and_post(job: Json, item: Json) -> tuple[int, int]:
        removed = await client.delete(f"/jobs/{job['id']}")
        return removed.status_code, (await client.post("/jobs/", json=item)).status_code

    answers, others = await asyncio.gather(
        asyncio.gather(*(send(client, "/jobs/", shuffled(items)) for _ in range(5))),
        asyncio.gather(*(remove_and_post(job, item) for job, item in zip(jobs, items, strict=True))),
    )

    counts = added(answers)
    created = counts["created"] + sum(posted == 201 for _, posted in others)
    assert {removed for removed, _ in others} == {204}
    assert {posted for _, posted in others} <= {201, 409}
    assert (created, counts["updated"], counts.total()) == (12, 0, 60)
    assert await mongo["jobs"].count_documents({}) == 12


async def test_a_key_twice_in_each_of_several_calls(client: Client, mongo: Mongo) -> None:
    job = samples.job()
    call = [{**job, "title": title} for title in ("A", "B", "A", "B")]

    answers = await asyncio.gather(*(send(client, "/jobs/", call) for _ in range(5)))

    # Whatever came between: after its last item each leaves B, and its first is never that.
    assert added(answers) == {"created": 1, "updated": 19}
    (stored,) = await mongo["jobs"].find().to_list(None)
    assert stored["title"] == "B"


@pytest.mark.parametrize("round_", range(6))
@pytest.mark.parametrize("path", ["/job-matches/", "/interactions/"])
async def test_a_parent_that_goes_meanwhile_leaves_no_children_behind(
    client: Client, mongo: Mongo, path: str, round_: int
) -> None:
    users = [(await client.user())["id"] for _ in range(3)]
    jobs = [(await client.job())["id"] for _ in range(12)]
    make = samples.match if path == "/job-matches/" else samples.interaction
    calls = [
        *(client.bulk(path, [make(user, job) for user in users for job in jobs]) for _ in range(2)),
        client.bulk(path, [make(user, job) for user in users for job in reversed(jobs)], as_lines=True),
        client.bulk(path, [make(user, job) for user in users for job in jobs], key=str(ObjectId())),
        *(client.post(path, json=make(users[0], job)) for job in jobs),
    ]
    calls.insert(round_ % len(calls), client.delete(f"/users/{users[0]}"))
    calls.insert((2 * round_) % len(calls), client.delete(f"/jobs/{jobs[0]}"))

    answers = await asyncio.gather(*calls)

    assert {answer.status_code for answer in answers} <= {200, 201, 204, 207, 404, 409}
    assert await orphans(mongo) == []
    assert await users_without_stats(mongo) == []
    assert await mongo[PATHS[path]].count_documents({}) == 2 * 11
    for user in users[1:]:
        stats = (await client.get(f"/users/{user}/stats")).json()
        assert stats["jobs_viewed"] in ((11, 12) if path == "/interactions/" else (0,))


async def test_two_clients_with_the_same_two_thousand(client: Client, mongo: Mongo) -> None:
    jobs = await fresh(client, "/jobs/", 2_000)

    answers = await asyncio.gather(
        client.bulk("/jobs/", jobs), client.bulk("/jobs/", list(reversed(jobs)), as_lines=True)
    )

    assert added(answers) == {"created": 2_000, "unchanged": 2_000}
    assert await mongo["jobs"].count_documents({}) == 2_000
