"""What is kept of a search that takes long to count stays true, whatever becomes of postings."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db import findings
from backend.app.db.findings import Finding, Findings
from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.removals import sweep
from backend.app.db.saved_searches import Searches
from backend.app.db.schema import JOBS, SEARCHES
from backend.app.db.search_counts import SearchCounts
from backend.app.errors import Unavailable
from backend.app.models.base import now
from backend.app.models.conditions import JobQuery
from backend.app.models.job_filters import JobFilters
from backend.tests.client import Client, Json

QUERY = JobFilters(title="engineer", location="berlin").query()
MOST = 10


@pytest.fixture
def counts(mongo: Mongo) -> SearchCounts:
    """As over a million postings."""
    return SearchCounts(Jobs(mongo, JOBS), few=-1, recent=-1)


async def jobs(client: Client, count: int) -> list[Json]:
    return [await client.job() for _ in range(count)]


async def set_back(mongo: Mongo, age: timedelta) -> None:
    """As if it had been found so long ago."""
    await mongo["findings"].update_many({}, {"$set": {"at": now() - age}})


async def test_what_was_found_is_kept_and_followed_from_there(
    client: Client, mongo: Mongo, counts: SearchCounts
) -> None:
    first, second = await jobs(client, 2)
    assert (await counts.total(QUERY, MOST)).count == 2
    kept = await mongo["findings"].find_one()

    await client.patch(f"/jobs/{first['id']}", json={"title": "Nurse"})
    await jobs(client, 3)
    await client.delete(f"/jobs/{second['id']}")

    assert (await counts.total(QUERY, MOST)).count == 3
    assert await mongo["findings"].find_one() == kept


async def test_a_posting_that_was_removed_long_ago_is_not_counted(
    client: Client, mongo: Mongo, counts: SearchCounts
) -> None:
    (job,) = await jobs(client, 1)
    assert (await counts.total(QUERY, MOST)).count == 1
    await client.delete(f"/jobs/{job['id']}")
    removal: Any = await mongo["removals"].find_one_and_delete({})
    removal["_id"] = ObjectId.from_datetime(datetime.now(UTC) - timedelta(hours=1))
    await mongo["removals"].insert_one(removal)

    await sweep(mongo, recent=False)

    assert await mongo["removals"].find_one() is None
    assert (await counts.total(QUERY, MOST)).count == 0


async def test_what_is_old_is_renewed_when_it_is_read(
    client: Client, mongo: Mongo, counts: SearchCounts
) -> None:
    await jobs(client, 1)
    await counts.total(QUERY, MOST)
    await jobs(client, 1)
    await set_back(mongo, timedelta(days=2))

    assert (await counts.total(QUERY, MOST)).count == 2
    await counts.findings.settled()

    kept: Any = await mongo["findings"].find_one()
    assert kept["at"] > now() - timedelta(minutes=1)
    assert len(kept["ids"]) == 2 * 12


async def test_what_is_too_old_is_found_anew(client: Client, mongo: Mongo, counts: SearchCounts) -> None:
    (job,) = await jobs(client, 1)
    await counts.total(QUERY, MOST)
    await mongo["jobs"].delete_one({"_id": ObjectId(job["id"])})
    await set_back(mongo, timedelta(days=7, minutes=1))

    assert (await counts.total(QUERY, MOST)).count == 0


async def test_after_too_many_changes_it_is_found_anew(
    client: Client, counts: SearchCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await jobs(client, 1)
    await counts.total(QUERY, MOST)
    await jobs(client, 2)

    monkeypatch.setattr(findings, "MOST_CHANGED", 1)

    assert (await counts.total(QUERY, MOST)).count == 3


async def test_where_too_few_are_left_of_what_was_kept_others_are_looked_for(
    client: Client, mongo: Mongo
) -> None:
    counts = SearchCounts(Jobs(mongo, JOBS), few=-1, recent=-1, spare=1)
    made = await jobs(client, 5)
    assert (await counts.total(QUERY, 2)).count == 3
    gone = {ObjectId(job["id"]) for job in made[2:]}

    for job in gone:
        await client.delete(f"/jobs/{job}")

    assert (await counts.total(QUERY, 2)).count == 2


async def test_what_takes_longer_than_a_request_is_there_for_the_next(mongo: Mongo) -> None:
    findings = Findings(mongo)
    may_go_on = asyncio.Event()

    async def find() -> Finding:
        await may_go_on.wait()
        return Finding(now(), frozenset([ObjectId().binary]), True)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await findings.of(JobQuery(), find, MOST)
    may_go_on.set()
    await findings.settled()

    assert await mongo["findings"].count_documents({}) == 1


async def test_counts_that_take_too_long_are_a_503(client: Client, mongo: Mongo) -> None:
    await client.search()
    search: Any = await mongo["saved_searches"].find_one()
    searches = Searches(mongo, SEARCHES, Jobs(mongo, JOBS))
    searches.patience = 0

    with pytest.raises(Unavailable):
        await searches.counted([search])


async def test_what_is_new_is_followed_from_the_moment_on(
    client: Client, mongo: Mongo, counts: SearchCounts
) -> None:
    await jobs(client, 1)
    before: Any = await mongo["jobs"].find_one()
    moment = before["created_at"]
    made = await jobs(client, 2)
    assert await counts.new(QUERY, moment) == 2

    await client.patch(f"/jobs/{made[0]['id']}", json={"is_active": False})
    await jobs(client, 1)

    assert await counts.new(QUERY, moment) == 2
    assert await counts.new(QUERY, now()) == 0
    assert await SearchCounts(counts.jobs).new(QUERY, moment) == 2


async def test_an_example_is_new_although_its_id_is_old(client: Client, mongo: Mongo) -> None:
    job: Any = await client.job()
    stored: Any = await mongo["jobs"].find_one_and_delete({"_id": ObjectId(job["id"])})
    await mongo["jobs"].insert_one({**stored, "_id": ObjectId("665f10000000000000000001")})
    moment = stored["created_at"] - timedelta(hours=1)

    for few in (-1, 1_000):
        counts = SearchCounts(Jobs(mongo, JOBS), few=few, recent=few)
        assert await counts.new(QUERY, moment) == 1
        assert await counts.jobs.count_matching(QUERY.came_after(moment)) == 1


@pytest.mark.parametrize("few", [-1, 1_000])
async def test_no_count_goes_through_all_postings(client: Client, mongo: Mongo, few: int) -> None:
    await jobs(client, 3)
    counts = SearchCounts(Jobs(mongo, JOBS), few=few, recent=few)
    await mongo.db.command("profile", 2)
    try:
        for query in (QUERY, JobFilters(salary_min=1).query(None), JobFilters(q='"a b" -c').query(False)):
            for _ in range(2):
                await counts.total(query, MOST)
                await counts.new(query, now() - timedelta(days=1))
    finally:
        await mongo.db.command("profile", 0)
    reads = await mongo.find("system.profile", {"ns": f"{mongo.db.name}.jobs"})
    await mongo.db["system.profile"].drop()

    assert len(reads) > 5
    assert [read["command"] for read in reads if "COLLSCAN" in read["planSummary"]] == []
    assert [read["command"] for read in reads if read.get("hasSortStage")] == []


async def test_what_came_after_a_moment_is_the_same_to_the_database_and_to_a_plain_function(
    client: Client, mongo: Mongo
) -> None:
    await jobs(client, 3)
    stored = await mongo["jobs"].find().to_list(None)
    found = Jobs(mongo, JOBS)

    for posting in stored:
        query = QUERY.came_after(posting["created_at"])
        expected = [one["_id"] for one in stored if query.matches(one)]
        assert len(expected) < len(stored)
        assert sorted(await found.ids_matching(query, MOST)) == sorted(expected)
