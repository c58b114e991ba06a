"""Exports: every document once, as the lists show it, however many there are and however they are read."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgi_lifespan import LifespanManager
from bson import ObjectId
from fastapi import FastAPI

from backend.app.config import Settings
from backend.app.db.exports import BYTES_AT_ONCE, FIRST, MOST_AT_ONCE
from backend.app.db.indexes import ensure_indexes
from backend.app.db.mongo import Mongo
from backend.app.db.schema import JOBS
from backend.app.main import create_app
from backend.app.models.base import Document, now
from backend.tests import samples
from backend.tests.client import Client, Json

EXPORTS = {
    "/users/export": "user",
    "/jobs/export": "job",
    "/job-matches/export": "match",
    "/interactions/export": "interaction",
}
each_export = pytest.mark.parametrize("path", EXPORTS)


async def exported(client: Client, path: str) -> list[Json]:
    response = await client.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text == "" or response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


async def ids(client: Client, path: str) -> list[str]:
    return [document["id"] for document in await exported(client, path)]


def posting(number: int, **changes: Any) -> Document:
    return {
        "_id": ObjectId(),
        "external_id": f"posting-{number}",
        "title": "Engineer",
        "company": "Initech",
        "description": "",
        "location": "Berlin",
        "posted_date": now(),
        "is_active": True,
        "created_at": now(),
        "revision": 1,
        **changes,
    }


async def fill(mongo: Mongo, count: int, **changes: Any) -> list[str]:
    documents = [posting(number, **changes) for number in range(count)]
    await mongo["jobs"].insert_many(documents)
    return sorted(str(document["_id"]) for document in documents)


async def some_of_each(client: Client) -> None:
    for number in range(3):
        match = await client.match(is_active=number != 1)
        await client.interaction(user_id=match["user_id"], job_id=match["job_id"])


@each_export
async def test_an_export_shows_what_the_lists_show_in_the_same_bytes(client: Client, path: str) -> None:
    await some_of_each(client)

    one_by_one = f"{path.removesuffix('export')}"
    lines = (await client.get(path)).content.splitlines()

    assert len(lines) >= 3
    for line in lines:
        assert (await client.get(one_by_one + json.loads(line)["id"])).content == line


@each_export
async def test_an_export_is_in_order_of_ids(client: Client, path: str) -> None:
    await some_of_each(client)

    found = await ids(client, path)

    assert found == sorted(found)


@each_export
async def test_an_empty_export_is_empty_and_no_failure(client: Client, path: str) -> None:
    assert await exported(client, path) == []


@each_export
async def test_an_export_goes_on_after_any_line(client: Client, path: str) -> None:
    await some_of_each(client)
    whole = await ids(client, path)

    for place, last in enumerate(whole):
        assert await ids(client, f"{path}?cursor={last}") == whole[place + 1 :]


async def test_an_export_goes_on_although_the_last_document_received_is_gone(client: Client) -> None:
    first, second = await client.job(), await client.job()
    await client.delete(f"/jobs/{first['id']}")

    assert await ids(client, f"/jobs/export?cursor={first['id']}") == [second["id"]]


@each_export
@pytest.mark.parametrize("cursor", ["x", "", "5" * 23, "%00"])
async def test_a_cursor_that_is_no_id_is_refused(client: Client, path: str, cursor: str) -> None:
    response = await client.get(f"{path}?cursor={cursor}")

    assert (response.status_code, response.json()["detail"]) == (400, f"Invalid {EXPORTS[path]} ID")


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("/job-matches/export?user_id=x", "user"),
        ("/job-matches/export?job_id=x", "job"),
        ("/interactions/export?user_id=x", "user"),
        ("/interactions/export?job_id=x", "job"),
    ],
)
async def test_a_filter_that_is_no_id_is_refused(client: Client, path: str, noun: str) -> None:
    response = await client.get(path)

    assert (response.status_code, response.json()["detail"]) == (400, f"Invalid {noun} ID")


@each_export
async def test_a_parameter_that_is_not_there_is_refused(client: Client, path: str) -> None:
    assert (await client.get(f"{path}?limit=5")).status_code == 422


FILTERS = [
    "",
    "is_active=any",
    "is_active=false&q=engineer",
    "source_platform=linkedin",
    "source_platform=LinkedIn&source_platform=Indeed&is_active=any",
    "source_platform=",
    "skill=python&skill=go",
    "skill=python&skill=go&skills=any&is_active=any",
    "q=%22data+engineer%22+-go",
    "title=engineers&location=sao+paulo&remote_type=remote",
    "salary_min=60000&currency=eur",
    "salary_max=60000&include_unpaid=true&posted_after=2026-01-02",
    "skill=cobol",
]


@pytest.mark.parametrize("asked", FILTERS)
async def test_an_export_of_postings_is_what_the_list_finds(
    client: Client, app: FastAPI, mongo: Mongo, asked: str
) -> None:
    platforms, titles = itertools.cycle(("LinkedIn", "linkedin", "Indeed")), ("Data Engineer", "Nurse")
    made = [
        samples.job(
            source_platform=next(platforms),
            title=titles[number % 2],
            location=("São Paulo", "Berlin")[number % 3 // 2],
            skills_required=(["Python"], ["Go"], ["Python", "Go"], [])[number % 4],
            remote_type=("Remote", "hybrid")[number % 5 % 2],
            posted_date=f"2026-01-0{number % 4 + 1}T00:00:00Z",
            is_active=number % 7 != 0,
            **({"salary_range": {"max": number * 5000, "currency": "EUR"}} if number % 3 else {}),
        )
        for number in range(24)
    ]
    assert (await client.bulk("/jobs/", made)).status_code == 200
    listed = (await client.get(f"/jobs/?limit=1000&{asked}")).json()
    expected = sorted((posting for posting in listed), key=lambda posting: posting["id"])
    for posting in expected:
        posting.pop("score", None)

    by_ids = await exported(client, f"/jobs/export?{asked}")
    # Once it is known how many there are of what, by what is rare.
    await app.state.collections[JOBS].frequencies.sample(mongo)
    by_what_is_rare = await exported(client, f"/jobs/export?{asked}")

    assert by_ids == by_what_is_rare == expected
    if expected:
        rest = await exported(client, f"/jobs/export?{asked}&cursor={expected[0]['id']}")
        assert rest == expected[1:]


async def test_matches_are_exported_by_user_and_posting_and_activity(client: Client) -> None:
    users = [(await client.user())["id"] for _ in range(2)]
    jobs = [(await client.job())["id"] for _ in range(4)]
    made = {
        (user, job): (await client.match(user_id=user, job_id=job, is_active=place % 2 == 0))["id"]
        for user in users
        for place, job in enumerate(jobs)
    }

    def those(*pairs: tuple[str, str]) -> list[str]:
        return sorted(made[pair] for pair in pairs)

    user, job = users[0], jobs[1]
    everything = "/job-matches/export"
    assert await ids(client, everything) == sorted(made.values())
    assert await ids(client, f"{everything}?user_id={user}") == those(*((user, one) for one in jobs))
    assert await ids(client, f"{everything}?job_id={job}") == those(*((one, job) for one in users))
    assert await ids(client, f"{everything}?user_id={user}&job_id={job}") == those((user, job))
    assert await ids(client, f"{everything}?user_id={user}&is_active=true") == those(
        (user, jobs[0]), (user, jobs[2])
    )
    assert await ids(client, f"{everything}?job_id={job}&is_active=true") == []
    assert await ids(client, f"{everything}?user_id={ObjectId()}") == []


async def test_interactions_are_exported_by_user_and_posting_and_type(client: Client) -> None:
    first = await client.interaction()
    user, job = first["user_id"], first["job_id"]
    second = await client.interaction(user_id=user, job_id=job, interaction_type="saved")
    third = await client.interaction(user_id=user)
    fourth = await client.interaction(job_id=job)

    async def numbers(query: str) -> list[int]:
        made = [one["id"] for one in (first, second, third, fourth)]
        return [made.index(one) + 1 for one in await ids(client, f"/interactions/export?{query}")]

    assert await numbers("") == [1, 2, 3, 4]
    assert await numbers(f"user_id={user}") == [1, 2, 3]
    assert await numbers(f"job_id={job}") == [1, 2, 4]
    assert await numbers("interaction_type=viewed") == [1, 3, 4]
    assert await numbers(f"user_id={user}&interaction_type=viewed") == [1, 3]
    assert await numbers(f"user_id={user}&job_id={job}") == [1, 2]
    assert await numbers(f"user_id={user}&job_id={job}&interaction_type=saved") == [2]
    assert (await client.get("/interactions/export?interaction_type=x")).status_code == 422


async def test_what_stands_throughout_is_exported_once_whatever_others_write(
    client: Client, mongo: Mongo
) -> None:
    stay = await fill(mongo, 5000)
    go = [posting(10_000 + number) for number in range(500)]
    await mongo["jobs"].insert_many(go)
    done = asyncio.Event()

    async def write() -> None:
        for number in itertools.count():
            if done.is_set():
                return
            await mongo["jobs"].insert_one(posting(20_000 + number))
            await mongo["jobs"].delete_one({"_id": go[number % len(go)]["_id"]})
            changed = {"_id": ObjectId(stay[number * 37 % len(stay)])}
            await mongo["jobs"].update_one(changed, {"$set": {"posted_date": now(), "title": "Changed"}})

    async def read() -> list[str]:
        """Breaking off again and again, and going on after the last whole line."""
        seen: list[str] = []
        while True:
            cursor = f"?cursor={seen[-1]}" if seen else ""
            more = await ids(client, f"/jobs/export{cursor}")
            seen += more[:700]
            if len(more) < 700:
                done.set()
                return seen

    _, seen = await asyncio.gather(write(), read())

    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)
    assert set(stay) <= set(seen)


async def test_until_its_index_is_made_an_export_is_put_off(client: Client, mongo: Mongo) -> None:
    await mongo["job_matches"].drop_index("user_id_1__id_1")
    try:
        response = await client.get(f"/job-matches/export?user_id={ObjectId()}")
    finally:
        await ensure_indexes(mongo)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


@asynccontextmanager
async def watched(mongo: Mongo) -> AsyncIterator[Callable[[], Awaitable[list[Document]]]]:
    """What the database is asked for meanwhile, as it has noted itself."""
    await mongo.db.command("profile", 0)
    await mongo.db.drop_collection("system.profile")
    await mongo.db.command("profile", 2)

    async def asked() -> list[Document]:
        finds = mongo.db["system.profile"].find({"op": {"$in": ["query", "getmore"]}})
        noted = await finds.sort("ts").to_list(None)
        return [one for one in noted if one["ns"].endswith(".jobs")]

    try:
        yield asked
    finally:
        await mongo.db.command("profile", 0)
        await mongo.db.drop_collection("system.profile")


async def test_an_export_asks_for_some_at_a_time_and_leaves_nothing_open(
    client: Client, mongo: Mongo
) -> None:
    made = await fill(mongo, 2500)

    async with watched(mongo) as asked:
        found = await ids(client, "/jobs/export")
        questions = await asked()

    assert found == made
    assert {one["op"] for one in questions} == {"query"}
    assert all(one["command"]["singleBatch"] for one in questions)
    assert questions[0]["nreturned"] == FIRST
    assert max(one["nreturned"] for one in questions) <= MOST_AT_ONCE
    assert sum(one["nreturned"] for one in questions) == 2500


async def test_large_documents_come_in_small_batches(client: Client, mongo: Mongo) -> None:
    made = await fill(mongo, 60, description="x" * 900_000)

    async with watched(mongo) as asked:
        found = await ids(client, "/jobs/export")
        questions = await asked()

    assert found == made
    # The first when nothing is known of their size yet, and the one that is under way with it.
    first, second, *others = [one["responseLength"] for one in questions]
    assert max(first, second) <= 17 * 1024 * 1024
    assert max(others) <= 2 * BYTES_AT_ONCE


async def test_a_head_of_an_export_reads_no_further_than_it_must(client: Client, mongo: Mongo) -> None:
    await fill(mongo, 1000)

    async with watched(mongo) as asked:
        response = await client.head("/jobs/export")
        questions = await asked()

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-ndjson"
    assert len(questions) == 1


class Reader:
    """A client of the app, as a server stands between them."""

    def __init__(self, app: FastAPI, path: str) -> None:
        self.app = app
        self.path = path
        self.gone = asyncio.Event()
        self.received: list[bytes] = []
        self.ended = False

    async def read(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "headers": [],
            "server": ("test", 80),
            "client": ("127.0.0.1", 1),
        }
        await self.app(scope, self.receive, self.send)

    async def receive(self) -> Json:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.received.append(message["body"])
            self.ended = not message.get("more_body", False)
            await self.take()

    async def take(self) -> None:
        """What the client does with what it gets."""


async def test_a_client_that_goes_away_ends_the_work(app: FastAPI, mongo: Mongo) -> None:
    await fill(mongo, 20_000, description="x" * 1000)

    class Leaving(Reader):
        async def take(self) -> None:
            self.gone.set()
            # As a server whose client is gone: it takes all, and throws it away.
            await asyncio.sleep(0)

    reader = Leaving(app, "/jobs/export")
    async with watched(mongo) as asked:
        before = asyncio.all_tasks()
        await reader.read()
        await mongo.ping()
        # A driver that does not pass a cancellation on finishes what it has begun.
        for task in asyncio.all_tasks() - before:
            await asyncio.wait([task])
        questions = await asked()

    assert not reader.ended
    # Of more than twenty; one may have been on its way.
    assert len(questions) <= 3


async def test_a_client_that_stops_reading_is_cut_off(
    settings: Settings, mongo: Mongo, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(mongo, 1000, description="x" * 1000)

    class Stuck(Reader):
        async def take(self) -> None:
            await asyncio.Event().wait()

    hasty = create_app(settings.model_copy(update={"bulk_deadline": 0.2}), database=settings.test_db)
    async with LifespanManager(hasty):
        reader = Stuck(hasty, "/jobs/export")
        await reader.read()

    assert len(reader.received) == 1
    assert not reader.ended
    assert "Cut off: slow_reader" in caplog.text


async def test_while_an_export_is_read_at_full_speed_others_get_their_turn(
    app: FastAPI, client: Client, mongo: Mongo
) -> None:
    await fill(mongo, 3000, description="x" * 1000)
    reader = Reader(app, "/jobs/export")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while not reader.ended:
            turns += 1
            await asyncio.sleep(0)

    await asyncio.gather(reader.read(), count())

    pieces = [piece for piece in reader.received if piece]
    assert turns >= len(pieces) > 30
    assert max(map(len, pieces)) < 70_000
