"""Postings, as the guide has them and as the contract settles the rest."""

from typing import Any

import pytest

from backend.app.db.mongo import Mongo
from backend.app.models.jobs import POSTING
from backend.tests import samples
from backend.tests.client import Client


async def test_a_posting_comes_back_as_it_was_sent(client: Client) -> None:
    made = await client.make("/jobs/", POSTING)

    assert made | POSTING == made
    assert made["is_active"] is True
    assert (await client.get(f"/jobs/{made['id']}")).json() == made


async def test_money_keeps_the_kind_of_number_it_was_sent_as(client: Client) -> None:
    made = await client.post("/jobs/", json=samples.job(salary_range={"min": 140000, "max": 200000.5}))

    assert '"min":140000,"max":200000.5' in made.text


async def test_an_external_id_is_taken_once(client: Client) -> None:
    await client.job(external_id="one")
    other = await client.job()

    again = await client.post("/jobs/", json=samples.job(external_id="one"))
    moved = await client.patch(f"/jobs/{other['id']}", json={"external_id": "one"})

    assert (again.status_code, moved.status_code) == (409, 409)
    assert again.json()["detail"] == "Job with this external_id already exists"


async def test_the_list_is_newest_first_and_active_unless_asked(client: Client) -> None:
    old = await client.job(posted_date="2026-01-01T00:00:00Z")
    new = await client.job(posted_date="2026-03-01T00:00:00Z")
    gone = await client.job(posted_date="2026-02-01T00:00:00Z", is_active=False)

    async def ids(query: str = "") -> list[str]:
        return [job["id"] for job in (await client.get(f"/jobs/{query}")).json()]

    assert await ids() == [new["id"], old["id"]]
    assert await ids("?is_active=true") == [new["id"], old["id"]]
    assert await ids("?is_active=false") == [gone["id"]]
    assert await ids("?is_active=any") == [new["id"], gone["id"], old["id"]]
    assert (await client.get("/jobs/?is_active=maybe")).status_code == 422


async def test_the_list_of_one_platform_holds_no_other(client: Client) -> None:
    one = await client.job(source_platform="LinkedIn")
    gone = await client.job(source_platform="LinkedIn", is_active=False)
    alike = await client.job(source_platform="linkedin")
    await client.job(source_platform="LinkedOut")
    await client.job()

    async def ids(query: str) -> set[str]:
        return {job["id"] for job in (await client.get(f"/jobs/?{query}")).json()}

    assert await ids("source_platform=LinkedIn") == {one["id"], alike["id"]}
    assert await ids("source_platform=LinkedIn&is_active=any") == {one["id"], alike["id"], gone["id"]}
    assert await ids("source_platform=Linked") == set()


async def test_a_soft_deleted_posting_leaves_the_list_and_stays_readable(client: Client) -> None:
    made = await client.job()

    patch = await client.patch(f"/jobs/{made['id']}", json={"is_active": False})

    assert patch.json()["is_active"] is False
    assert (await client.get("/jobs/")).json() == []
    assert (await client.get(f"/jobs/{made['id']}")).status_code == 200


async def test_a_patch_of_the_salary_keeps_what_it_does_not_name(client: Client) -> None:
    made = await client.make("/jobs/", {**POSTING, "salary_range": {"min": 1, "max": 2, "currency": "EUR"}})

    patch = await client.patch(f"/jobs/{made['id']}", json={"salary_range": {"min": 90000, "max": 130000}})

    assert patch.json()["salary_range"] == {"min": 90000, "max": 130000, "currency": "EUR"}


async def test_a_patch_can_give_a_salary_to_a_posting_that_had_none(client: Client, mongo: Mongo) -> None:
    made = await client.job(salary_range=None)

    patch = await client.patch(f"/jobs/{made['id']}", json={"salary_range": {"min": 5}})
    stored = await mongo.db["jobs"].find_one({})

    assert patch.json()["salary_range"] == {"min": 5, "max": None, "currency": "USD"}
    assert stored and stored["salary_range"] == {"min": 5, "currency": "USD"}


async def test_a_put_replaces_the_salary_whole(client: Client) -> None:
    made = await client.make("/jobs/", {**POSTING, "salary_range": {"min": 1, "max": 2, "currency": "EUR"}})

    put = await client.put(f"/jobs/{made['id']}", json={"salary_range": {"min": 5}})

    assert put.json()["salary_range"] == {"min": 5, "max": None, "currency": "USD"}
    assert put.json()["title"] == made["title"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", ""),
        ("external_id", "x" * 256),
        ("external_id", 5),
        ("title", ""),
        ("posted_date", 1700000000),
        ("posted_date", "1700000000"),
        ("posted_date", "2026-01-01"),
        ("posted_date", "2026-13-01T00:00:00Z"),
        ("posted_date", "0001-01-01T00:00:00+14:00"),
        ("posted_date", "9999-12-31T23:59:59-14:00"),
        ("source_url", "ftp://example.com"),
        ("source_url", "https://"),
        ("source_url", "example.com"),
        ("salary_range", {"min": 2, "max": 1}),
        ("salary_range", {"min": -1}),
        ("salary_range", {"min": "5"}),
        ("salary_range", {"min": True}),
        ("salary_range", {"currency": "usd"}),
        ("salary_range", {"minimum": 5}),
        ("ml_features", {"keyword_vector": [0.0] * 4097}),
        ("ml_features", {"keyword_vector": ["0.1"]}),
        ("skills_required", "Python"),
        ("skills_required", [None]),
        ("is_active", "true"),
        ("is_active", 1),
        ("id", "665f10000000000000000001"),
        ("created_at", "2026-01-01T00:00:00Z"),
        ("revision", 7),
    ],
)
async def test_what_a_posting_may_not_hold_is_refused_where_it_stands(
    client: Client, mongo: Mongo, field: str, value: Any
) -> None:
    response = await client.post("/jobs/", json=samples.job(**{field: value}))

    assert response.status_code == 422
    assert all(fault["pointer"].startswith(f"/{field}") for fault in response.json()["errors"])
    assert await mongo.db["jobs"].count_documents({}) == 0


async def test_a_time_is_kept_in_utc_to_the_millisecond(client: Client) -> None:
    offset = await client.job(posted_date="2026-01-01T01:30:00.123987+01:30")
    naive = await client.job(posted_date="2026-01-01T00:00:00")

    assert offset["posted_date"] == "2026-01-01T00:00:00.123000Z"
    assert naive["posted_date"] == "2026-01-01T00:00:00Z"


async def test_a_posting_takes_its_matches_and_interactions_along(client: Client, mongo: Mongo) -> None:
    job, stranger = await client.job(), await client.job()
    for posting in (job, stranger):
        await client.match(job_id=posting["id"])
        await client.interaction(job_id=posting["id"])

    assert (await client.delete(f"/jobs/{job['id']}")).status_code == 204

    for name in ("job_matches", "user_job_interactions"):
        assert [str(left["job_id"]) async for left in mongo.db[name].find()] == [stranger["id"]]
    assert await mongo.db["users"].count_documents({}) == 4
