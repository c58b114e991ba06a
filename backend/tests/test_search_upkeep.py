"""What postings are found by follows every write, and stays inside."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.schema import JOBS
from backend.app.models.base import Document
from backend.app.models.searchable import SEARCH
from backend.tests import samples
from backend.tests.client import Client, Json

FULL: Json = {
    "title": "Go Engineer",
    "skills_required": ["Go", "Linux"],
    "remote_type": "remote",
    "source_platform": "LinkedIn",
    "salary_range": {"min": 100, "max": 200, "currency": "EUR"},
}


async def outdated(mongo: Mongo) -> list[str]:
    """The postings whose derived part is not what they would be stored with now."""
    found = [posting async for posting in mongo["jobs"].find()]
    assert found
    return [
        posting["external_id"] for posting in found if posting.get(SEARCH) != JOBS.complete(posting)[SEARCH]
    ]


async def found_by(client: Client, query: str) -> list[str]:
    response = await client.get(f"/jobs/?{query}")
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()]


CHANGES: dict[str, tuple[str, Json, str, str]] = {
    "title": ("PATCH", {"title": "Rust Developer"}, "title=engineer", "q=rust"),
    "company": ("PATCH", {"company": "Hooli"}, "company=initech", "company=hooli"),
    "description": ("PATCH", {"description": "Cobol."}, "q=builds", "q=cobol"),
    "location": ("PATCH", {"location": "Łódź"}, "location=berlin", "location=lodz"),
    "skills": ("PATCH", {"skills_required": ["Rust"]}, "skill=go", "skill=rust"),
    "no skills": ("PUT", {"skills_required": []}, "skill=go", "q=-linux"),
    "remote type": ("PATCH", {"remote_type": "onsite"}, "location=remote", "remote_type=onsite"),
    "no remote type": ("PATCH", {"remote_type": None}, "remote_type=remote", "location=berlin"),
    "platform": ("PUT", {"source_platform": "Indeed"}, "source_platform=LinkedIn", "source_platform=indeed"),
    "one end of the salary": ("PATCH", {"salary_range": {"min": 150}}, "salary_max=120", "salary_min=180"),
    "the whole salary": ("PUT", {"salary_range": {"max": 90}}, "currency=EUR", "currency=USD"),
    "no salary": ("PATCH", {"salary_range": None}, "currency=EUR", "currency=JPY&include_unpaid=true"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_posting_is_found_by_what_it_has_become(client: Client, mongo: Mongo, change: str) -> None:
    method, body, before, after = CHANGES[change]
    job = await client.job(**FULL)
    assert (await found_by(client, before), await found_by(client, after)) in (
        ([job["id"]], []),
        # What it did not have keeps it out of nothing.
        ([job["id"]], [job["id"]]),
    )

    changed = await client.request(method, f"/jobs/{job['id']}", json=body)

    assert changed.status_code == 200
    assert (await found_by(client, before), await found_by(client, after)) == ([], [job["id"]])
    assert await outdated(mongo) == []


async def test_a_change_of_anything_else_leaves_it_alone(client: Client, mongo: Mongo) -> None:
    job = await client.job(**FULL)
    await mongo["jobs"].update_one({}, {"$set": {f"{SEARCH}.words": ["marked"]}})

    await client.patch(f"/jobs/{job['id']}", json={"is_active": False, "source_url": "https://example.com"})
    await client.patch(f"/jobs/{job['id']}", json={"title": FULL["title"], "is_active": True})

    assert await found_by(client, "q=marked") == [job["id"]]


async def test_it_follows_bulk_calls_of_every_kind(client: Client, mongo: Mongo) -> None:
    first = [samples.job(external_id=str(number), **FULL) for number in range(6)]
    await client.bulk("/jobs/", first)
    assert len(await found_by(client, "q=engineer")) == 6

    replaced = [
        samples.job(external_id="0", title="Rust Engineer"),
        samples.job(external_id="1", title="Clerk"),
        samples.job(external_id="1", title="Baker", salary_range={"max": 7}),
        first[2],
        samples.job(external_id="new", title="Baker"),
        {"external_id": "3", "title": ""},
    ]
    answer = (await client.bulk("/jobs/", replaced)).json()
    merged = [
        {"external_id": "4", "salary_range": {"min": 150}, "remote_type": None},
        {"external_id": "5", "skills_required": ["Ada"]},
        {"external_id": "5", "description": "Cobol"},
        {"external_id": "5", "is_active": True},
    ]
    await client.bulk("/jobs/", merged, mode="merge")
    await client.bulk("/jobs/", [{"external_id": "5", "title": "Pretended"}], mode="merge", dry_run="true")

    assert answer["summary"] == {"created": 1, "updated": 3, "unchanged": 1, "rejected": 1}
    assert await outdated(mongo) == []
    assert len(await found_by(client, "q=baker")) == 2
    assert len(await found_by(client, "q=cobol&skill=ada")) == 1
    assert await found_by(client, "q=pretended") == []


async def test_what_a_run_closes_or_opens_again_is_found_as_such(client: Client, mongo: Mongo) -> None:
    await client.bulk("/jobs/", [samples.job(external_id=one, **FULL) for one in ("seen", "missed")])
    run = (await client.run())["id"]
    await client.bulk("/jobs/", [samples.job(external_id="seen", **FULL)], run_id=run)
    await client.post(f"/ingest-runs/{run}/complete?max_close_ratio=1")

    found = {one: await found_by(client, f"skill=go&q=engineer&is_active={one}") for one in ("true", "false")}
    assert [len(some) for some in found.values()] == [1, 1]
    assert found["true"] != found["false"]
    assert await outdated(mongo) == []


def derived_parts(answer: Any) -> Iterator[str]:
    """Whatever of it an answer holds, however deep."""
    if isinstance(answer, dict):
        yield from {SEARCH, "words", "tags", "low", "high"} & set(answer)
        for part in answer.values():
            yield from derived_parts(part)
    elif isinstance(answer, list):
        for part in answer:
            yield from derived_parts(part)


async def test_no_answer_shows_it(client: Client) -> None:
    body = samples.job(**FULL)
    made = await client.post("/jobs/", json=body)
    job = made.json()["id"]
    match = await client.match(job_id=job)
    search = await client.search(user_id=match["user_id"], search_query={"title": "engineer"})

    answers = [
        made,
        await client.patch(f"/jobs/{job}", json={"title": "Go Engineer II"}),
        await client.put(f"/jobs/{job}", json={"title": "Go Engineer III"}),
        await client.patch(f"/jobs/{job}", json={"title": "Go Engineer III"}),
        await client.bulk("/jobs/", [{**body, "title": "Go Engineer IV"}]),
        await client.get(f"/jobs/{job}"),
        await client.get(f"/job-matches/user/{match['user_id']}?expand=job"),
        await client.get(f"/saved-searches/{search['id']}/jobs"),
        await client.get("/jobs/export"),
        *[
            await client.get(f"/jobs/?sort={sort}")
            for sort in ("-posted_date", "posted_date", "-salary", "title")
        ],
        *[
            await client.get(f"/jobs/?q=go&sort={sort}&fields=title")
            for sort in ("-score", "-salary", "title")
        ],
        await client.get("/jobs/?q=go"),
    ]

    assert [answer.status_code for answer in answers] == [201] + [200] * (len(answers) - 1)
    assert [list(derived_parts(answer.json())) for answer in answers] == [[]] * len(answers)
    assert all("Go Engineer" in answer.text for answer in answers if "errors" not in answer.text)


def before_there_was_search(**changes: Any) -> Document:
    posted = datetime(2026, 1, 1)  # noqa: DTZ001 - as MongoDB holds it
    stored = {
        "_id": ObjectId(),
        "is_active": True,
        "posted_date": posted,
        "created_at": posted,
        "revision": 7,
    }
    return {**samples.job(), **stored, **changes}


async def test_postings_from_before_are_found_once_they_are_caught_up_with(
    client: Client, mongo: Mongo, app: FastAPI
) -> None:
    new = await client.job(**FULL)
    old = [before_there_was_search(title=f"Old Engineer {number}") for number in range(3)]
    await mongo["jobs"].insert_many(old)
    assert await found_by(client, "q=engineer") == [new["id"]]
    jobs: Jobs = app.state.collections[JOBS]

    await jobs.catch_up()

    assert await outdated(mongo) == []
    assert len(await found_by(client, "q=engineer")) == 4
    assert await mongo["jobs"].count_documents({"revision": 7}) == len(old)


@pytest.mark.parametrize("sort", ["title", "-salary", "-posted_date", "posted_date"])
async def test_until_then_every_list_can_be_read(client: Client, mongo: Mongo, sort: str) -> None:
    new = [await client.job(**FULL) for _ in range(2)]
    old = [before_there_was_search() for _ in range(3)]
    await mongo["jobs"].insert_many(old)

    seen, url = [], f"/jobs/?limit=1&sort={sort}"
    while url:
        page = await client.get(url)
        assert page.status_code == 200, page.text
        seen += [job["id"] for job in page.json()]
        url = page.links["next"]["url"] if "next" in page.links else ""

    assert {job["id"] for job in new} <= set(seen)
    assert len(set(seen)) == len(seen)


async def test_a_posting_of_a_megabyte_is_stored_and_found(client: Client, mongo: Mongo) -> None:
    marks = "e\u0301\u0327" * 40_000
    huge = await client.job(
        title="Engineer " + "x" * 100_000,
        location="Berlin " + "\ufdfa" * 20_000,
        description="cobol " + marks + " word" * 80_000,
        skills_required=["Go", *(f"skill {number} " + "x" * 180 for number in range(999))],
    )

    for query in ("q=engineer", "location=berlin", "q=cobol", "skill=go", "sort=title"):
        assert await found_by(client, query) == [huge["id"]]
    assert await outdated(mongo) == []
