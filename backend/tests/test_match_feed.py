"""A user's matches as a feed: by themselves, by their postings, and by what the user did with those."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db import feed
from backend.app.db.mongo import Mongo
from backend.app.db.paging import Reading
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES
from backend.app.deps import FeedQuery
from backend.app.models.base import Document
from backend.tests.client import Client, Json

USER, SOMEBODY_ELSE = ObjectId("1" * 24), ObjectId("2" * 24)
PATH = f"/job-matches/user/{USER}"
START = datetime(2026, 1, 1)  # noqa: DTZ001 - as MongoDB holds it: UTC, without a zone
EUROS = {"min": 50_000, "max": 60_000, "currency": "EUR"}


def posting(number: int, **changes: Any) -> Document:
    document = {
        "_id": ObjectId(),
        "external_id": f"posting-{number}",
        "title": "Engineer",
        "company": "Initech",
        "description": "Builds things.",
        "location": "Berlin",
        "posted_date": START + timedelta(days=number % 30),
        "is_active": True,
        "created_at": START,
        "revision": 1,
    }
    return JOBS.complete({**document, **changes})


def match(number: int, job: ObjectId, **changes: Any) -> Document:
    """Of scores and times that many share."""
    return {
        "_id": ObjectId(),
        "user_id": USER,
        "job_id": job,
        "relevancy_score": number * 8 % 21 / 20,
        "matched_at": START + timedelta(hours=number * 5 % 17),
        "is_active": True,
        "revision": 1,
        **changes,
    }


def interaction(job: ObjectId, kind: str, user: ObjectId = USER) -> Document:
    return {"_id": ObjectId(), "user_id": user, "job_id": job, "interaction_type": kind, "timestamp": START}


async def store(mongo: Mongo, *documents: Document) -> None:
    """Each where it belongs."""
    for spec, mark in ((JOBS, "external_id"), (MATCHES, "relevancy_score"), (INTERACTIONS, "timestamp")):
        if these := [document for document in documents if mark in document]:
            await mongo[spec.name].insert_many(these)


async def matched(mongo: Mongo, *jobs: Document, **changes: Any) -> None:
    """Store postings, each with a match: the first is the best and the oldest."""
    for number, job in enumerate(jobs):
        about = {"relevancy_score": 1 - number / 10, "matched_at": START + timedelta(days=number)}
        await store(mongo, job, match(number, job["_id"], **about, **changes))


async def fed(client: Client, **query: Any) -> list[Json]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    return found


async def scores(client: Client, **query: Any) -> list[float]:
    return [match["relevancy_score"] for match in await fed(client, **query)]


async def whole(client: Client, path: str) -> list[Json]:
    """All pages of a list."""
    seen: list[Json] = []
    while True:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        seen += answer.json()
        if "next" not in answer.links:
            return seen
        path = answer.links["next"]["url"]


async def test_a_feed_of_which_nothing_is_asked_is_the_list_it_was(client: Client, mongo: Mongo) -> None:
    await matched(mongo, posting(1), posting(2), posting(3))
    old = Reading(MATCHES, MATCHES.lists[1], {"user_id": USER, "is_active": True})

    answer = await client.get(PATH, params={"limit": 2})
    second = await mongo["job_matches"].find_one({"_id": ObjectId(answer.json()[1]["id"])})

    assert second is not None
    assert f"cursor={old.cursor_after(second)}>" in answer.headers["link"]
    assert all("job" not in match for match in answer.json())
    assert (await client.get(PATH)).content == (
        await client.get(PATH, params={"sort": "-relevancy_score", "job_is_active": "any", "exclude": ""})
    ).content


async def test_the_latest_come_first_if_asked(client: Client, mongo: Mongo) -> None:
    await matched(mongo, posting(1), posting(2), posting(3))

    assert await scores(client) == [1, 0.9, 0.8]
    assert await scores(client, sort="-matched_at") == [0.8, 0.9, 1]


@pytest.mark.parametrize("active", ["true", "false", "any"])
async def test_a_score_can_be_asked_for_in_either_order(client: Client, mongo: Mongo, active: str) -> None:
    await matched(mongo, posting(1), posting(2), posting(3), posting(4), is_active=active != "false")

    assert await scores(client, min_score=0.8, is_active=active) == [1, 0.9, 0.8]
    assert await scores(client, min_score=0.8, is_active=active, sort="-matched_at") == [0.8, 0.9, 1]
    assert await scores(client, min_score=1, is_active=active) == [1]


async def test_what_the_user_did_can_keep_a_posting_out(client: Client, mongo: Mongo) -> None:
    seen, applied, withdrawn, untouched = jobs = [posting(number) for number in range(4)]
    await matched(mongo, *jobs)
    await store(
        mongo,
        interaction(seen["_id"], "viewed"),
        interaction(applied["_id"], "viewed"),
        interaction(applied["_id"], "applied"),
        interaction(withdrawn["_id"], "withdrawn"),
        interaction(untouched["_id"], "viewed", SOMEBODY_ELSE),
    )

    assert await scores(client, exclude="viewed") == [0.8, 0.7]
    assert await scores(client, exclude="applied, withdrawn") == [1, 0.7]
    assert await scores(client, exclude=["applied", "withdrawn"]) == [1, 0.7]
    assert await scores(client, exclude=["saved,rejected", "withdrawn,viewed,applied"]) == [0.7]
    assert await scores(client, exclude="saved") == [1, 0.9, 0.8, 0.7]


async def test_a_posting_leaves_the_feed_with_an_interaction_and_comes_back_without_it(
    client: Client,
) -> None:
    made = await client.match()
    path = f"/job-matches/user/{made['user_id']}?exclude=saved"
    pair = {name: made[name] for name in ("user_id", "job_id")}

    before = await client.get(path)
    saved = await client.interaction(**pair, interaction_type="saved")
    meanwhile = await client.get(path)
    await client.patch(f"/interactions/{saved['id']}", json={"interaction_type": "viewed"})
    after = await client.get(path)

    assert [answer.json() for answer in (before, meanwhile, after)] == [[made], [], [made]]


FILTERS: list[tuple[Json, list[str]]] = [
    ({"q": "engineers"}, ["paid", "remote", "retired"]),
    ({"q": '"senior rust"'}, ["paid"]),
    ({"q": "engineer -rust"}, ["remote", "retired"]),
    ({"title": "nurse"}, ["other"]),
    ({"company": "sao paulo"}, ["other"]),
    ({"location": "remote"}, ["remote"]),
    ({"skill": ["C++", "Go"]}, ["paid"]),
    ({"skill": ["C++", "Go"], "skills": "any"}, ["paid", "remote"]),
    ({"remote_type": ["remote", "hybrid"]}, ["remote"]),
    ({"source_platform": "linkedin"}, ["retired"]),
    ({"salary_min": 55_000}, ["paid"]),
    (
        {"salary_max": 55_000, "currency": "eur", "include_unpaid": "true"},
        ["paid", "remote", "other", "retired"],
    ),
    ({"currency": "USD"}, []),
    ({"posted_after": "2026-01-03"}, ["other", "retired"]),
    ({"posted_before": "2026-01-03"}, ["paid", "remote"]),
    ({"job_is_active": "true"}, ["paid", "remote", "other"]),
    ({"job_is_active": "false"}, ["retired"]),
    ({"job_is_active": "any"}, ["paid", "remote", "other", "retired"]),
    ({"job_is_active": "true", "q": "engineer", "min_score": 0.95}, ["paid"]),
    ({"q": "engineer", "exclude": "viewed"}, ["paid", "retired"]),
    ({"q": "engineer", "exclude": "viewed", "sort": "-matched_at"}, ["retired", "paid"]),
    ({"q": "engineer", "exclude": "viewed", "job_is_active": "true", "expand": "job"}, ["paid"]),
    ({"skill": "Fortran"}, []),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=lambda value: str(value))
async def test_what_can_be_asked_of_postings_can_be_asked_of_a_feed(
    client: Client, mongo: Mongo, query: Json, expected: list[str]
) -> None:
    jobs = {
        "paid": posting(0, title="Senior Rust Engineer", skills_required=["C++", "Go"], salary_range=EUROS),
        "remote": posting(1, remote_type="remote", skills_required=["Go"]),
        "other": posting(2, title="Nurse", company="Hospital São Paulo"),
        "retired": posting(3, is_active=False, source_platform="LinkedIn"),
    }
    await matched(mongo, *jobs.values())
    await store(mongo, interaction(jobs["remote"]["_id"], "viewed"))
    names = {str(job["_id"]): name for name, job in jobs.items()}

    answer = await client.get(PATH, params={**query, "count": "true"})

    assert [names[match["job_id"]] for match in answer.json()] == expected
    assert answer.headers["x-total-count"] == str(len(expected))


@pytest.mark.parametrize("query", [{}, {"q": "engineer"}], ids=str)
async def test_each_comes_with_its_posting_if_asked(client: Client, mongo: Mongo, query: Json) -> None:
    await matched(mongo, posting(1, salary_range={"min": 1}), posting(2, skills_required=["Go"]))

    plain, expanded = await fed(client, **query), await fed(client, expand="job", **query)

    for match, with_job in zip(plain, expanded, strict=True):
        job = (await client.get(f"/jobs/{match['job_id']}")).json()
        assert with_job == {**match, "job": job}


async def test_a_posting_that_went_meanwhile_is_null(client: Client, mongo: Mongo) -> None:
    await store(mongo, match(1, ObjectId()))

    (found,) = await fed(client, expand="job")

    assert found["job"] is None


@pytest.mark.parametrize("query", [{}, {"exclude": "viewed", "q": "x", "expand": "job"}], ids=str)
async def test_somebody_who_is_gone_has_an_empty_feed(client: Client, query: Json) -> None:
    answer = await client.get(PATH, params={**query, "count": "true"})

    assert (answer.status_code, answer.json()) == (200, [])
    assert (answer.headers["x-total-count"], "link" in answer.headers) == ("0", False)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("min_score=1.01", "/query/min_score"),
        ("min_score=-1", "/query/min_score"),
        ("min_score=NaN", "/query/min_score"),
        ("exclude=liked", "/query/exclude/0"),
        ("exclude=viewed,liked", "/query/exclude/1"),
        ("sort=matched_at", "/query/sort"),
        ("expand=user", "/query/expand"),
        ("job_is_active=1", "/query/job_is_active"),
        ("min_scor=1", "/query/min_scor"),
    ],
)
async def test_what_a_feed_does_not_know_is_refused(client: Client, query: str, pointer: str) -> None:
    answer = await client.get(f"{PATH}?{query}")

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


async def test_a_name_that_is_nearly_right_is_suggested(client: Client) -> None:
    answer = await client.get(f"{PATH}?excludes=viewed")

    assert "did you mean exclude?" in answer.json()["errors"][0]["detail"]


ASKED: tuple[Json, ...] = (
    {},
    {"sort": "-matched_at"},
    {"is_active": "any"},
    {"min_score": 0},
    {"min_score": 0.05},
    {"exclude": "viewed"},
    {"exclude": "viewed,saved"},
    {"q": "engineer"},
    {"title": "engineer"},
    {"job_is_active": "true"},
    {"job_is_active": "true", "sort": "-matched_at"},
)


async def test_a_cursor_is_taken_only_by_the_feed_it_is_of(client: Client, mongo: Mongo) -> None:
    await matched(mongo, posting(1), posting(2))
    cursors = {}
    for asked in ASKED:
        answer = await client.get(PATH, params={**asked, "limit": 1})
        cursors[str(asked)] = answer.links["next"]["url"].rpartition("cursor=")[2]

    for asked in ASKED:
        for origin, cursor in cursors.items():
            answer = await client.get(PATH, params={**asked, "cursor": cursor})
            assert answer.status_code == (200 if origin == str(asked) else 400), f"{origin} at {asked}"
    other = await client.get(f"/job-matches/user/{SOMEBODY_ELSE}", params={"cursor": cursors["{}"]})
    assert other.status_code == 400


async def test_a_page_may_show_the_postings_that_the_one_before_did_not(client: Client, mongo: Mongo) -> None:
    await matched(mongo, posting(1), posting(2))

    first = await client.get(PATH, params={"q": "engineer", "limit": 1})
    second = await client.get(f"{first.links['next']['url']}&expand=job")

    assert second.json()[0]["job"]["external_id"] == "posting-2"


MANY = 250
KINDS = ("viewed", "saved", "applied", "rejected", "withdrawn")
WALKS: tuple[Json, ...] = (
    {},
    {"is_active": "any", "sort": "-matched_at"},
    {"min_score": 0.3},
    {"min_score": 0.3, "sort": "-matched_at", "is_active": "any"},
    {"exclude": "viewed,withdrawn"},
    {"job_is_active": "true", "expand": "job"},
    {"q": "rust", "is_active": "any"},
    {"salary_min": 1, "sort": "-matched_at"},
    {"skill": ["Go"], "remote_type": ["remote"], "exclude": "saved", "min_score": 0.2},
)


def a_posting(chance: random.Random, number: int) -> Document:
    return posting(
        number,
        title=chance.choice(("Engineer", "Rust Engineer", "Nurse")),
        is_active=chance.random() < 0.8,
        skills_required=chance.sample(("Go", "Rust", "C++"), 2),
        remote_type=chance.choice(("remote", "onsite")),
        salary_range=chance.choice(({}, EUROS)),
    )


def many(number: int) -> Iterator[tuple[Document, Document, list[Document]]]:
    """Postings, with what became of each: some of everything."""
    chance = random.Random(number)
    for one in range(MANY):
        job = a_posting(chance, number * MANY + one)
        done = [interaction(job["_id"], kind) for kind in KINDS if chance.random() < 0.15]
        yield job, match(one, job["_id"], is_active=chance.random() < 0.8), done


def belongs(query: FeedQuery, job: Document, match: Document, done: list[Document]) -> bool:
    active = {"true": True, "false": False}
    return (
        match["is_active"] == active.get(query.is_active, match["is_active"])
        and job["is_active"] == active.get(query.job_is_active, job["is_active"])
        and match["relevancy_score"] >= (query.min_score or 0)
        and not {one["interaction_type"] for one in done} & set(query.exclude)
        and query.query(None).matches(job)
    )


def expected(asked: Json, stored: list[tuple[Document, Document, list[Document]]]) -> list[str]:
    query = FeedQuery(**{**asked, "exclude": [asked.get("exclude", "")]})
    found = [match for job, match, done in stored if belongs(query, job, match, done)]
    by = query.sort.removeprefix("-")
    found.sort(key=lambda match: (match[by], match["_id"]), reverse=True)
    return [str(match["_id"]) for match in found]


async def store_many(mongo: Mongo, stored: list[tuple[Document, Document, list[Document]]]) -> None:
    await store(mongo, *(document for job, match, done in stored for document in (job, match, *done)))


@pytest.mark.parametrize("asked", WALKS, ids=str)
async def test_pages_show_each_once_while_others_are_written(
    client: Client, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, asked: Json
) -> None:
    monkeypatch.setattr(feed, "FEWEST", 5)
    monkeypatch.setattr(feed, "MOST", 60)
    stay, go = list(many(1)), list(many(2))
    await store_many(mongo, stay)
    await store_many(mongo, go)

    async def write(number: int) -> None:
        gone = [one["_id"] for _, one, _ in go[number::9]]
        new = [job for job, _, _ in go[number::10]]
        await mongo["job_matches"].delete_many({"_id": {"$in": gone}})
        await store(mongo, *(match(number, ObjectId(), job_id=ObjectId()) for _ in new))

    seen: list[Json] = []
    answer = await client.get(PATH, params={**asked, "limit": 23})
    for number in range(2 * MANY):
        seen += answer.json()
        if "next" not in answer.links:
            break
        answer, _ = await asyncio.gather(client.get(answer.links["next"]["url"]), write(number))

    times = Counter(match["id"] for match in seen)
    wanted = expected(asked, stay)
    assert len(wanted) >= 10
    assert set(times.values()) == {1}
    assert [match["id"] for match in seen if match["id"] in set(wanted)] == wanted
    others = {str(match["_id"]) for _, match, _ in stay} - set(wanted)
    assert not others & set(times)


async def test_a_feed_is_what_a_plain_look_at_all_there_is_comes_to(client: Client, mongo: Mongo) -> None:
    stored = list(many(3))
    await store_many(mongo, stored)
    await store(
        mongo, *(match(number, job["_id"], user_id=SOMEBODY_ELSE) for number, (job, *_) in enumerate(stored))
    )
    chance = random.Random(3)
    choices: dict[str, list[Any]] = {
        "is_active": ["true", "false", "any"],
        "job_is_active": ["true", "false", "any"],
        "sort": ["-relevancy_score", "-matched_at"],
        "min_score": [0, 0.25, 0.5],
        "exclude": ["viewed", "saved,applied", "withdrawn,rejected,viewed"],
        "q": ["engineer", "rust -nurse", '"rust engineer"'],
        "skill": [["Go"], ["Go", "Rust"]],
        "salary_max": [50_000, 49_999],
        "include_unpaid": [True],
        "posted_after": ["2026-01-15T00:00:00Z"],
    }

    for _ in range(40):
        asked = {name: chance.choice(choices[name]) for name in chance.sample(sorted(choices), 4)}
        answer = await client.get(PATH, params={**asked, "limit": 1000, "count": "true"})
        wanted = expected(asked, stored)
        assert [match["id"] for match in answer.json()] == wanted, asked
        assert answer.headers["x-total-count"] == str(len(wanted))


@asynccontextmanager
async def profiled(mongo: Mongo) -> AsyncIterator[list[Document]]:
    """What the database was asked meanwhile, once it is over."""
    asked: list[Document] = []
    await mongo.db.command("profile", 2)
    try:
        yield asked
    finally:
        await mongo.db.command("profile", 0)
        ours = {f"{mongo.db.name}.{spec.name}" for spec in (JOBS, MATCHES, INTERACTIONS)}
        ops = {"ns": {"$in": sorted(ours)}, "op": {"$in": ["query", "getmore"]}}
        asked += await mongo.find("system.profile", ops)
        await mongo.db.drop_collection("system.profile")


def stages_of(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for part in plan.values():
            yield from stages_of(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages_of(part)


@pytest.mark.parametrize("asked", WALKS, ids=str)
async def test_every_page_is_read_off_indexes(client: Client, mongo: Mongo, asked: Json) -> None:
    await store_many(mongo, list(many(1)))

    async with profiled(mongo) as asked_of_the_database:
        await whole(client, str(client.build_request("GET", PATH, params={**asked, "limit": 37}).url))

    assert asked_of_the_database
    for one in asked_of_the_database:
        stages = set(stages_of(one["execStats"]))
        assert stages & {"IXSCAN", "IDHACK", "EOF"}, one
        assert not stages & {"COLLSCAN", "SORT"}, one


async def test_a_least_score_is_where_the_index_is_left(client: Client, mongo: Mongo) -> None:
    await store_many(mongo, list(many(1)))

    async with profiled(mongo) as asked:
        found = await fed(client, min_score=0.9, is_active="any", limit=1000)

    (one,) = asked
    assert 20 < len(found) == one["docsExamined"]
    # One more for each branch, to see that it ends there.
    assert one["keysExamined"] <= len(found) + 2


async def test_what_the_user_did_is_read_off_the_index_alone(client: Client, mongo: Mongo) -> None:
    await store_many(mongo, list(many(1)))

    async with profiled(mongo) as asked:
        await fed(client, exclude="viewed,saved,applied")

    of_interactions = [one for one in asked if one["ns"].endswith(INTERACTIONS.name)]
    assert of_interactions
    assert {one["docsExamined"] for one in of_interactions} == {0}


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ({}, 1),
        ({"expand": "job"}, 2),
        ({"expand": "job", "min_score": 0.1, "sort": "-matched_at"}, 2),
        ({"expand": "job", "job_is_active": "true"}, 4),
        ({"expand": "job", "job_is_active": "any", "exclude": "applied", "q": "-nurse"}, 8),
    ],
    ids=str,
)
async def test_a_page_takes_a_few_queries_however_many_are_on_it(
    client: Client, mongo: Mongo, query: Json, most: int
) -> None:
    await store_many(mongo, list(many(1)))

    async with profiled(mongo) as asked:
        found = await fed(client, **query)

    assert len(found) == 100
    assert len(asked) <= most
