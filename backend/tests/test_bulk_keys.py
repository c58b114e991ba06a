"""Bulk calls under an `Idempotency-Key`: done once however often sent, taken up where they broke off."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import bson
import httpx
import pytest
from fastapi import FastAPI
from pymongo import MongoClient

from backend.app.bulk import batches, ingestion, tally
from backend.app.config import Settings
from backend.app.db.answers import Answer
from backend.app.db.bulk.items import Item
from backend.app.db.bulk.steps import Part, Steps
from backend.app.db.bulk.writing import Bulk
from backend.app.db.mongo import Mongo
from backend.app.db.schema import ANSWERS, STEPS, TABLE
from backend.app.errors import Unavailable
from backend.app.models.base import Document, now
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.raw import raw

ARRAY, LINES = "application/json", "application/x-ndjson"
KEY = "9f1c7a52"
STATUSES = ("created", "updated", "unchanged", "rejected")
COLLECTIONS = {"/jobs/": "jobs", "/job-matches/": "job_matches", "/interactions/": "user_job_interactions"}
IN_A_STEP = 3

WAYS = {"array": (False, False), "lines": (True, False), "all or none": (False, True)}
each_path = pytest.mark.parametrize("path", COLLECTIONS)
each_way = pytest.mark.parametrize(("as_lines", "atomic"), WAYS.values(), ids=WAYS)
each_form = pytest.mark.parametrize("as_lines", [False, True], ids=["array", "lines"])


@dataclass
class World:
    app: FastAPI
    client: Client
    mongo: Mongo

    async def items(self, path: str, count: int = 10) -> list[Json]:
        if path == "/jobs/":
            return [samples.job() for _ in range(count)]
        user = (await self.client.user())["email"]
        jobs = [samples.job() for _ in range(count)]
        await self.client.bulk("/jobs/", jobs)
        own = {"relevancy_score": 0.5} if path == "/job-matches/" else {"interaction_type": "viewed"}
        return [{**own, "user_email": user, "job_external_id": job["external_id"]} for job in jobs]

    async def send(
        self,
        items: Sequence[Any],
        *,
        path: str = "/jobs/",
        as_lines: bool = True,
        key: str = KEY,
        **query: Any,
    ) -> httpx.Response:
        return await self.client.bulk(path, items, as_lines=as_lines, key=key, **query)

    async def cut_off(self, items: Sequence[Any], *, path: str = "/jobs/", query: str = "") -> None:
        """Lines whose sender goes away before the end."""
        content = "".join(json.dumps(item) + "\n" for item in items).encode()
        headers = [(b"content-type", LINES.encode()), (b"idempotency-key", KEY.encode())]
        messages = [{"type": "http.request", "body": content, "more_body": True}]
        answer = await raw(self.app, "POST", f"{path}bulk{query}", headers, messages=messages)
        assert answer is None or refused(answer) == (400, "malformed_body")

    async def expire(self) -> None:
        """Let the lease be over, as if the time had gone by."""
        await self.mongo[ANSWERS.name].update_one(
            {"_id": KEY}, {"$set": {"until": now() - timedelta(seconds=1)}}
        )

    async def stored(self, path: str = "/jobs/") -> list[Document]:
        return await self.mongo[COLLECTIONS[path]].find().sort("_id").to_list(None)

    async def dump(self) -> dict[str, list[bytes]]:
        """All that is stored, but for what the service notes for itself, byte for byte."""
        found = {spec.name: await self.mongo[spec.name].find().sort("_id").to_list(None) for spec in TABLE}
        return {name: [bson.encode(one) for one in documents] for name, documents in found.items()}

    async def steps(self) -> int:
        return await self.mongo[STEPS.name].count_documents({})

    async def answers(self) -> int:
        return await self.mongo[ANSWERS.name].count_documents({})

    async def is_free(self) -> bool:
        """Whether any other request can have the key."""
        answer = await self.client.post("/users/", json=samples.user(), headers={"Idempotency-Key": KEY})
        assert answer.status_code in (201, 422), answer.text
        return answer.status_code == 201


@pytest.fixture
def world(app: FastAPI, client: Client, mongo: Mongo) -> World:
    return World(app, client, mongo)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "ITEMS_IN_A_BATCH", IN_A_STEP)


small = pytest.mark.usefixtures("small_steps")


def summary(**counts: int) -> Json:
    return {**dict.fromkeys(STATUSES, 0), **counts}


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """What must be the same however often it is told."""
    own = ("x-request-id", "idempotent-replayed")
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    return answer.status_code, answer.content, headers


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def replayed(answer: httpx.Response) -> bool:
    told: str | None = answer.headers.get("idempotent-replayed")
    return told == "true"


REUSED = (422, "idempotency_key_reused")
RUNNING = (409, "in_progress")


# Sent again


@small
@each_path
@each_form
@pytest.mark.parametrize("with_a_bad_one", [False, True])
@pytest.mark.parametrize("report", [None, "all", "none"])
async def test_a_call_that_is_sent_again_gets_the_same_bytes_and_does_nothing(
    world: World, path: str, as_lines: bool, with_a_bad_one: bool, report: str | None
) -> None:
    items: list[Any] = await world.items(path)
    if with_a_bad_one:
        items[4] = {"no": "such thing"}
    query = {"report": report} if report else {}

    first = await world.send(items, path=path, as_lines=as_lines, **query)
    done = await world.dump()
    again = await world.send(items, path=path, as_lines=as_lines, **query)

    assert first.status_code == (207 if with_a_bad_one else 200)
    assert first.json()["summary"] == summary(created=10 - with_a_bad_one, rejected=int(with_a_bad_one))
    assert not replayed(first)
    assert replayed(again)
    assert told(again) == told(first)
    assert await world.dump() == done


@small
@each_form
async def test_under_a_key_it_is_answered_as_without(world: World, as_lines: bool) -> None:
    stands = [samples.job() for _ in range(4)]
    await world.client.bulk("/jobs/", stands)
    changed = [{**job, "title": "Changed"} for job in stands[:2]]
    items = [*changed, *stands[2:], *(samples.job() for _ in range(3)), {"title": 5}, changed[0]]

    dry = (await world.client.bulk("/jobs/", items, as_lines=as_lines, report="all", dry_run=True)).json()
    told = (await world.send(items, as_lines=as_lines, report="all")).json()

    ids = [item.pop("id") for item in told["items"]]
    for item in dry["items"]:
        del item["id"]
    assert told == dry
    assert len(set(ids) - {None}) == 7


@small
@each_form
async def test_the_first_answer_stands_whatever_became_of_it(world: World, as_lines: bool) -> None:
    items = await world.items("/jobs/")
    first = await world.send(items, as_lines=as_lines)
    await world.mongo["jobs"].delete_many({})

    again = await world.send(items, as_lines=as_lines)

    assert told(again) == told(first)
    assert await world.stored() == []


async def test_both_slash_forms_are_one_call(world: World) -> None:
    items, headers = await world.items("/jobs/", 2), {"Idempotency-Key": KEY}

    first, again = [
        await world.client.post(f"/jobs/bulk{slash}", json=items, headers=headers) for slash in ("", "/")
    ]

    assert replayed(again)
    assert told(again) == told(first)


@small
@each_form
async def test_a_call_of_nothing_is_answered_once_too(world: World, as_lines: bool) -> None:
    first, again = await world.send([], as_lines=as_lines), await world.send([], as_lines=as_lines)
    other = await world.send(await world.items("/jobs/", 1), as_lines=as_lines)

    assert first.json()["summary"] == summary()
    assert replayed(again)
    assert refused(other) == REUSED


# Another request


def others(items: list[Json]) -> dict[str, list[Json]]:
    """Bodies that are like another, and not the same."""
    changed = {**items[-1], "title": "Changed"}
    return {
        "the last is different": [*items[:-1], changed],
        "the last is missing": items[:-1],
        "one more": [*items, samples.job()],
        "the first is different": [{**items[0], "title": "Changed"}, *items[1:]],
        "a whole step is missing": items[:-IN_A_STEP],
        "another order": [*items[:-2], items[-1], items[-2]],
        "none": [],
    }


OTHERS = tuple(others([samples.job(), samples.job()]))


@small
@each_form
@pytest.mark.parametrize("count", [9, 10])
@pytest.mark.parametrize("which", OTHERS)
async def test_another_body_under_the_key_is_refused(
    world: World, as_lines: bool, count: int, which: str
) -> None:
    items = await world.items("/jobs/", count)
    first = await world.send(items, as_lines=as_lines)
    done = await world.dump()

    other = await world.send(others(items)[which], as_lines=as_lines)

    assert refused(other) == REUSED
    assert await world.dump() == done
    assert told(await world.send(items, as_lines=as_lines)) == told(first)


@small
@each_form
@pytest.mark.parametrize("which", OTHERS)
async def test_another_body_than_that_of_a_call_that_broke_off_at_its_end_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, as_lines: bool, which: str
) -> None:
    items = await world.items("/jobs/")
    with monkeypatch.context() as broken:
        broken.setattr(Steps, "finish", unavailable)
        assert (await world.send(items, as_lines=as_lines)).status_code == 503
    done = await world.dump()

    other = await world.send(others(items)[which], as_lines=as_lines)
    through = await world.send(items, as_lines=as_lines)

    assert refused(other) == REUSED
    assert through.json()["summary"] == summary(created=10)
    assert await world.dump() == done


async def unavailable(_: Steps, __: Answer) -> None:
    raise Unavailable("The database cannot be reached")


@small
@pytest.mark.parametrize("which", sorted(set(OTHERS) - {"none"}))
async def test_another_array_than_the_one_that_broke_off_in_the_middle_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    items = await world.items("/jobs/")
    with monkeypatch.context() as broken:
        broken.setattr(Steps, "note", after(Steps.note, 2))
        assert (await world.send(items, as_lines=False)).status_code == 503
    assert len(await world.stored()) == 2 * IN_A_STEP

    other = await world.send(others(items)[which], as_lines=False)
    through = await world.send(items, as_lines=False)

    assert refused(other) == REUSED
    assert through.json()["summary"] == summary(created=10)
    assert len(await world.stored()) == 10


def after(method: Any, times: int) -> Any:
    """A method that works so many times, and then not any more."""

    async def sometimes(self: Steps, part: Part) -> None:
        nonlocal times
        times -= 1
        if times < 0:
            raise Unavailable("The database cannot be reached")
        await method(self, part)

    return sometimes


@small
@pytest.mark.parametrize("which", ["the last of a step", "the first", "fewer"])
async def test_other_lines_than_those_that_came_before_are_refused(world: World, which: str) -> None:
    items = await world.items("/jobs/")
    await world.cut_off(items[:7])
    done = await world.dump()
    changed = {"the last of a step": 5, "the first": 0}.get(which, 0)
    other = [{**item, "title": "Changed"} if at == changed else item for at, item in enumerate(items)]

    answer = await world.send(items[:4] if which == "fewer" else other)

    assert refused(answer) == REUSED
    assert await world.dump() == done
    assert (await world.send(items)).json()["summary"] == summary(created=10)


@small
async def test_lines_that_never_arrived_may_be_others_the_next_time(world: World) -> None:
    first, other = await world.items("/jobs/"), await world.items("/jobs/")
    await world.cut_off(first[:7])

    answer = await world.send([*first[:6], *other[:6]])

    assert answer.json()["summary"] == summary(created=12)
    assert len(await world.stored()) == 12


@small
@each_form
@pytest.mark.parametrize("query", [{"mode": "replace"}, {"report": "all"}, {"dry_run": "false"}])
@pytest.mark.parametrize("broke_off", [False, True])
async def test_another_query_under_the_key_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, as_lines: bool, query: Json, broke_off: bool
) -> None:
    items = await world.items("/jobs/")
    with monkeypatch.context() as broken:
        if broke_off:
            broken.setattr(Steps, "finish", unavailable)
        await world.send(items, as_lines=as_lines)
    done = await world.dump()

    assert refused(await world.send(items, as_lines=as_lines, **query)) == REUSED
    assert await world.dump() == done


@each_form
async def test_another_path_under_the_key_is_refused(world: World, as_lines: bool) -> None:
    items = await world.items("/job-matches/")
    await world.send(items, path="/job-matches/", as_lines=as_lines)

    other = await world.send(items, path="/interactions/", as_lines=as_lines)

    assert refused(other) == REUSED
    assert await world.stored("/interactions/") == []


@small
@each_form
async def test_the_same_items_in_the_other_form_are_another_call(world: World, as_lines: bool) -> None:
    items = await world.items("/jobs/")
    await world.send(items, as_lines=as_lines)

    assert refused(await world.send(items, as_lines=not as_lines)) == REUSED


@each_form
async def test_a_key_of_a_single_post_is_none_for_a_bulk_call_nor_the_other_way_round(
    world: World, as_lines: bool
) -> None:
    job, headers = samples.job(), {"Idempotency-Key": "other"}
    single = await world.client.post("/jobs/", json=job, headers=headers)
    bulk = await world.send([job], as_lines=as_lines)
    atomic = await world.send([samples.job()], as_lines=False, key="third", atomic=True)

    answers = [
        await world.send([job], as_lines=as_lines, key="other"),
        await world.send([job], as_lines=False, key="other", atomic=True),
        await world.client.post("/jobs/", json=job, headers={"Idempotency-Key": KEY}),
        await world.client.post("/jobs/", json=samples.job(), headers={"Idempotency-Key": "third"}),
        await world.send([job], as_lines=False, key="third"),
    ]

    assert (single.status_code, bulk.status_code, atomic.status_code) == (201, 200, 200)
    assert [refused(answer) for answer in answers] == [REUSED] * 5
    assert len(await world.stored()) == 2


@small
async def test_the_key_of_a_bulk_call_under_way_is_none_for_a_single_post(world: World) -> None:
    await world.cut_off((await world.items("/jobs/"))[:7])

    answer = await world.client.post("/jobs/", json=samples.job(), headers={"Idempotency-Key": KEY})

    assert refused(answer) == REUSED


# At once


@small
@each_path
@each_form
async def test_twenty_at_once_have_one_effect_and_one_answer(world: World, path: str, as_lines: bool) -> None:
    items = await world.items(path)

    answers = await asyncio.gather(*(world.send(items, path=path, as_lines=as_lines) for _ in range(20)))
    early = [answer for answer in answers if answer.status_code == 409]
    late = [await world.send(items, path=path, as_lines=as_lines) for _ in early]

    assert {(*refused(answer), answer.headers["retry-after"]) for answer in early} <= {(*RUNNING, "1")}
    served = [answer for answer in (*answers, *late) if answer.status_code != 409]
    assert [told(answer) for answer in served] == [told(served[0])] * 20
    assert sum(not replayed(answer) for answer in served) == 1
    assert served[0].json()["summary"] == summary(created=10)
    assert [document["revision"] for document in await world.stored(path)] == [1] * 10


async def test_twenty_at_once_that_are_all_or_none_have_one_effect_and_one_answer(world: World) -> None:
    items = await world.items("/jobs/")

    async def send() -> httpx.Response:
        return await world.send(items, as_lines=False, atomic=True)

    answers = await asyncio.gather(*(send() for _ in range(20)))
    early = [answer for answer in answers if answer.status_code == 409]
    served = [answer for answer in answers if answer.status_code != 409] + [await send() for _ in early]

    assert {refused(answer) for answer in early} <= {RUNNING}
    assert [told(answer) for answer in served] == [told(served[0])] * 20
    assert [document["revision"] for document in await world.stored()] == [1] * 10


@small
@each_path
async def test_calls_under_keys_that_race_for_the_same_all_get_their_turn(world: World, path: str) -> None:
    items = await world.items(path)
    orders = [random.Random(number).sample(items, len(items)) for number in range(8)]

    answers = await asyncio.gather(
        *(world.send(order, path=path, key=str(number)) for number, order in enumerate(orders))
    )

    total = Counter[str]()
    for answer in answers:
        assert answer.status_code == 200, answer.text
        total.update(answer.json()["summary"])
    assert (total["created"], total["rejected"], total.total()) == (10, 0, 80)
    assert len(await world.stored(path)) == 10


# Broken off


@small
@each_path
async def test_a_call_that_broke_off_goes_on_where_it_was(world: World, path: str) -> None:
    items = await world.items(path)
    await world.cut_off(items[:7], path=path)
    before = await world.stored(path)
    done = await world.steps()

    answer = await world.send(items, path=path, report="all")
    refusal = refused(answer)
    answer = await world.send(items, path=path)
    after = await world.stored(path)

    assert (len(before), done) == (2 * IN_A_STEP, 2)
    assert refusal == REUSED
    assert answer.json()["summary"] == summary(created=10)
    assert not replayed(answer)
    assert [document for document in after if document in before] == before
    assert len(after) == 10


@small
async def test_what_broke_off_is_told_of_as_if_it_had_not(world: World) -> None:
    await world.client.bulk("/jobs/", [(stands := samples.job()), (changed := samples.job())])
    items = [
        stands,
        samples.job(),
        {"title": 5},
        {**changed, "title": "Changed"},
        *await world.items("/jobs/"),
    ]
    await world.cut_off(items[:11], query="?report=all")

    through = (await world.send(items, report="all")).json()

    told = [item["status"] for item in through["items"]]
    assert told == ["unchanged", "created", "rejected", "updated", *["created"] * 10]
    assert [item["index"] for item in through["items"]] == list(range(14))
    assert through["summary"] == {**Counter(told)}
    stored = {str(document["_id"]) for document in await world.stored()}
    assert {item["id"] for item in through["items"] if item["id"]} == stored


@small
async def test_a_step_that_is_done_is_not_done_again(world: World) -> None:
    items = await world.items("/jobs/")
    await world.cut_off(items[:7])
    (mended,) = (await world.client.get("/jobs/?limit=1")).json()
    await world.client.patch(f"/jobs/{mended['id']}", json={"title": "By hand"})
    removed = next(job for job in (await world.client.get("/jobs/")).json() if job["id"] != mended["id"])
    await world.client.delete(f"/jobs/{removed['id']}")

    answer = await world.send(items)

    assert answer.json()["summary"] == summary(created=10)
    assert (await world.client.get(f"/jobs/{mended['id']}")).json()["title"] == "By hand"
    assert len(await world.stored()) == 9


@small
async def test_however_often_a_call_breaks_off_it_gets_on(world: World) -> None:
    items = await world.items("/jobs/", 30)
    seen = []
    for arrived in range(2, 30, 4):
        await world.cut_off(items[:arrived])
        seen.append(len(await world.stored()))

    answer = await world.send(items)

    assert seen == [arrived // IN_A_STEP * IN_A_STEP for arrived in range(2, 30, 4)]
    assert answer.json()["summary"] == summary(created=30)
    assert [document["revision"] for document in await world.stored()] == [1] * 30


@small
async def test_a_key_twice_in_one_call_that_broke_off_between_them(world: World) -> None:
    job = samples.job()
    items = [job, *await world.items("/jobs/", 5), {**job, "title": "Last"}, job, {**job, "title": "Last"}]
    await world.cut_off(items[:4])

    answer = await world.send(items)

    assert answer.json()["summary"] == summary(created=6, updated=3)
    (stored,) = [one for one in await world.stored() if one["external_id"] == job["external_id"]]
    assert stored["title"] == "Last"


@small
async def test_lines_come_in_other_pieces_the_second_time(world: World) -> None:
    items = await world.items("/jobs/")
    await world.cut_off(items[:7])
    content = "\r\n\n".join(map(json.dumps, items)).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 11):
            yield content[start : start + 11]

    headers = {"Content-Type": LINES, "Idempotency-Key": KEY}
    answer = await world.client.post("/jobs/bulk", content=pieces(), headers=headers)

    # White space at the end of a line is a part of it.
    assert refused(answer) == REUSED
    content = b"\n\n".join(json.dumps(item).encode() for item in items)
    answer = await world.client.post("/jobs/bulk", content=pieces(), headers=headers)
    assert answer.json()["summary"] == summary(created=10)


@small
@pytest.mark.parametrize("path", ["/job-matches/", "/interactions/"])
async def test_the_stats_of_what_broke_off_are_true_though_nobody_sends_it_again(
    world: World, path: str
) -> None:
    items = await world.items(path)
    if path == "/job-matches/":
        items = [{**item, "match_details": {"skills_missing": ["Rust"]}} for item in items]

    await world.cut_off(items[:7], path=path)

    (user,) = (await world.client.get("/users/")).json()
    stats = (await world.client.get(f"/users/{user['id']}/stats")).json()
    assert (stats["jobs_viewed"], stats["top_missing_skill"]) == (
        (6, None) if path == "/interactions/" else (0, "Rust")
    )


@small
async def test_the_stats_are_true_when_a_call_that_broke_off_is_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Those of another user come later.
    items = [*await world.items("/interactions/", 6), *await world.items("/interactions/", 4)]
    with monkeypatch.context() as killed:

        async def nothing(*_: Any) -> None:
            pass

        # As a kill would leave them.
        killed.setattr("backend.app.db.marks._mark", nothing)
        await world.cut_off(items[:7], path="/interactions/")

    await world.send(items, path="/interactions/")

    users = (await world.client.get("/users/")).json()
    stats = [(await world.client.get(f"/users/{user['id']}/stats")).json() for user in users]
    assert sorted(one["jobs_viewed"] for one in stats) == [4, 6]


@small
async def test_a_call_whose_answer_is_forgotten_begins_anew(world: World) -> None:
    items = await world.items("/jobs/")
    await world.cut_off(items[:7])
    # Its steps are kept for longer.
    await world.mongo[ANSWERS.name].delete_many({})

    answer = await world.send(items)

    assert answer.json()["summary"] == summary(created=4, unchanged=6)
    assert len(await world.stored()) == 10


# The lease


class Held:
    """A call that is sent, and held up in the middle of its body."""

    def __init__(self, world: World, items: Sequence[Json], first: int) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        lines = [json.dumps(item).encode() + b"\n" for item in items]

        async def pieces() -> AsyncIterator[bytes]:
            yield b"".join(lines[:first])
            # Asked for more: what there is so far is done.
            self.reached.set()
            await self.go_on.wait()
            yield b"".join(lines[first:])

        headers = {"Content-Type": LINES, "Idempotency-Key": KEY}
        self._call = asyncio.create_task(world.client.post("/jobs/bulk", content=pieces(), headers=headers))

    async def held_up(self) -> None:
        await self.reached.wait()

    async def answer(self) -> httpx.Response:
        self.go_on.set()
        return await self._call


@small
async def test_a_call_of_somebody_alive_is_in_progress(world: World) -> None:
    items = await world.items("/jobs/")
    held = Held(world, items, 7)
    await held.held_up()

    other, atomic = await world.send(items), await world.send(items, as_lines=False, atomic=True)
    first = await held.answer()

    assert (refused(other), other.headers["retry-after"]) == (RUNNING, "1")
    assert refused(atomic) == REUSED
    assert first.json()["summary"] == summary(created=10)
    assert told(await world.send(items)) == told(first)


@small
@pytest.mark.parametrize("arrived", [2, 7, 9, 10])
async def test_a_call_whose_lease_is_over_is_taken_up_and_its_old_holder_writes_nothing_more(
    world: World, arrived: int
) -> None:
    items = await world.items("/jobs/")
    held = Held(world, items, arrived)
    await held.held_up()
    await world.expire()

    second = await world.send(items)
    done = await world.dump()
    first = await held.answer()

    assert second.json()["summary"] == summary(created=10)
    assert refused(first) == RUNNING
    assert await world.dump() == done
    assert [document["revision"] for document in await world.stored()] == [1] * 10
    assert told(await world.send(items)) == told(second)


@small
async def test_an_old_holder_does_not_let_go_of_what_is_not_its_own(world: World) -> None:
    items = await world.items("/jobs/")
    old = Held(world, items, 4)
    await old.held_up()
    await world.expire()
    new = Held(world, items, 7)
    await new.held_up()

    assert refused(await old.answer()) == RUNNING
    assert refused(await world.send(items)) == RUNNING
    assert (await new.answer()).json()["summary"] == summary(created=10)


@small
@pytest.mark.parametrize("where", ["before it writes", "after it has written"])
async def test_a_holder_that_is_overtaken_within_a_step_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    items = await world.items("/jobs/")
    asleep, taken_up, wake = asyncio.Event(), asyncio.Event(), asyncio.Event()
    settle, take_up = Bulk.settle, Steps._take_up
    steps = 0

    async def slow(bulk: Bulk, batch: Sequence[Item]) -> None:
        nonlocal steps
        steps += 1
        held_up = steps == 2
        if where == "after it has written":
            await settle(bulk, batch)
        if held_up:
            asleep.set()
            await wake.wait()
        if where == "before it writes":
            await settle(bulk, batch)

    async def said(self: Steps) -> None:
        await take_up(self)
        taken_up.set()

    monkeypatch.setattr(Bulk, "settle", slow)
    monkeypatch.setattr(Steps, "_take_up", said)
    old = asyncio.create_task(world.send(items))
    await asleep.wait()
    await world.expire()
    new = asyncio.create_task(world.send(items))
    await taken_up.wait()
    if where == "before it writes":
        # Through to its end, while the other sleeps.
        await asyncio.wait([new])
    wake.set()
    first, second = await old, await new

    assert refused(first) == RUNNING
    assert second.json()["summary"] == summary(created=10)
    stored = await world.stored()
    assert [document["revision"] for document in stored] == [1] * 10
    assert {document["external_id"] for document in stored} == {item["external_id"] for item in items}


@small
async def test_a_call_that_is_through_before_it_is_taken_up_is_not_done_again(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = await world.items("/jobs/")
    with monkeypatch.context() as broken:
        broken.setattr(Steps, "finish", unavailable)
        await world.send(items)
    await world.expire()
    lease, leases = Steps._lease, count(1)
    answer = {"status": 200, "headers": {}, "body": b"the first", "sent": b""}

    with MongoClient[Document](settings.uri) as other:

        def late(self: Steps, time: timedelta) -> Document:
            # Between the look and the taking up, its holder wakes up and is through.
            if next(leases) == 2:
                other[settings.test_db][ANSWERS.name].update_one({"_id": KEY}, {"$set": answer})
                other[settings.test_db][STEPS.name].delete_many({})
            return lease(self, time)

        monkeypatch.setattr(Steps, "_lease", late)
        done = await world.dump()
        refusal = await world.send(items)

    assert refused(refusal) == RUNNING
    assert await world.dump() == done
    record = await world.mongo[ANSWERS.name].find_one({"_id": KEY})
    assert record and record["body"] == b"the first"


@small
async def test_of_many_that_would_take_a_call_up_one_does(world: World) -> None:
    items = await world.items("/jobs/")
    held = Held(world, items, 7)
    await held.held_up()
    await world.expire()

    answers = await asyncio.gather(*(world.send(items) for _ in range(20)))
    first = await held.answer()

    assert refused(first) == RUNNING
    done = [answer for answer in answers if answer.status_code == 200]
    assert len({answer.content for answer in done}) == 1
    assert sum(not replayed(answer) for answer in done) == 1
    assert {refused(answer) for answer in answers if answer.status_code != 200} <= {RUNNING}
    assert [document["revision"] for document in await world.stored()] == [1] * 10


# Refused


REFUSALS: dict[str, tuple[int, str, bytes, str]] = {
    "not JSON": (400, ARRAY, b"[{", ""),
    "an item that is not JSON": (400, ARRAY, b'[{"external_id": "a"}, {"title": NaN}]', ""),
    "an item that a strict parser refuses": (400, ARRAY, b'[{}, {"title": "\\ud800"}]', ""),
    "empty": (400, ARRAY, b"", ""),
    "no array": (422, ARRAY, b"{}", ""),
    "too many": (413, ARRAY, b"[0,0,0,0,0]", ""),
    "a wrong parameter": (422, ARRAY, b"[]", "?mode=any"),
    "lines, all or none": (422, LINES, b"{}", "?atomic=true"),
    "neither form": (415, "text/csv", b"a,b", ""),
    "all or none, and one is bad": (422, ARRAY, b"[0]", "?atomic=true"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_call_that_is_refused_uses_up_no_key(
    world: World, monkeypatch: pytest.MonkeyPatch, refusal: tuple[int, str, bytes, str]
) -> None:
    status, form, content, query = refusal
    monkeypatch.setattr(ingestion, "MOST_ITEMS", 4)
    headers = {"Content-Type": form, "Idempotency-Key": KEY}

    answer = await world.client.post(f"/jobs/bulk{query}", content=content, headers=headers)

    assert answer.status_code == status, answer.text
    assert await world.answers() == 0
    assert await world.is_free()


@small
async def test_an_array_that_was_refused_is_mended_under_its_key(world: World) -> None:
    items = await world.items("/jobs/", 5)
    bad = json.dumps(items)[:-1] + ", NaN]"
    headers = {"Content-Type": ARRAY, "Idempotency-Key": KEY}

    refusal = await world.client.post("/jobs/bulk", content=bad, headers=headers)
    mended = await world.send(items, as_lines=False)

    assert refused(refusal) == (400, "malformed_body")
    assert mended.json()["summary"] == summary(created=5)


@small
async def test_lines_that_broke_off_before_anything_was_done_use_up_no_key(world: World) -> None:
    await world.cut_off((await world.items("/jobs/"))[:2])

    assert await world.is_free()


@small
async def test_lines_that_broke_off_later_keep_their_key(world: World) -> None:
    await world.cut_off((await world.items("/jobs/"))[:3])

    assert not await world.is_free()


async def test_all_or_none_under_a_key_is_done_once(world: World) -> None:
    items = await world.items("/jobs/")

    first, again, other = [
        await world.send(some, as_lines=False, atomic=True) for some in (items, items, items[:-1])
    ]

    assert first.json()["summary"] == summary(created=10)
    assert replayed(again)
    assert told(again) == told(first)
    assert refused(other) == REUSED
    assert await world.steps() == 0


async def test_all_or_none_that_was_none_is_mended_under_its_key(world: World) -> None:
    items = await world.items("/jobs/")

    refusal = await world.send([*items, {}], as_lines=False, atomic=True)
    mended = await world.send(items, as_lines=False, atomic=True)

    assert (refusal.status_code, mended.status_code) == (422, 200)
    assert len(await world.stored()) == 10


@each_form
async def test_a_dry_run_takes_no_notice_of_a_key(world: World, as_lines: bool) -> None:
    items = await world.items("/jobs/")

    dry = [await world.send(items, as_lines=as_lines, dry_run=True) for _ in range(2)]
    noted = await world.answers()
    real = await world.send(items, as_lines=as_lines)
    late = await world.send(items, as_lines=as_lines, dry_run=True)

    assert noted == 0
    assert not any(map(replayed, [*dry, real, late]))
    assert [answer.json()["summary"] for answer in (*dry, real)] == [summary(created=10)] * 3
    assert late.json()["summary"] == summary(unchanged=10)


# What is kept


@small
@each_form
async def test_once_a_call_is_through_its_steps_are_gone(world: World, as_lines: bool) -> None:
    items = await world.items("/jobs/")
    await world.cut_off(items[:7])
    assert await world.steps() == 2

    await world.send(items)
    await world.send(items, as_lines=as_lines, key="other")

    assert (await world.steps(), await world.answers()) == (0, 2)


async def test_answers_are_kept_for_a_day_and_steps_for_longer(world: World) -> None:
    kept = {
        name: next(
            index["expireAfterSeconds"]
            for index in (await world.mongo[name].index_information()).values()
            if index["key"] == [("at", 1)]
        )
        for name in (ANSWERS.name, STEPS.name)
    }
    await world.cut_off((await world.items("/jobs/", 1)) * 1_000)
    records = [await world.mongo[name].find_one({}) for name in kept]

    assert kept == {ANSWERS.name: 86_400, STEPS.name: 90_000}
    assert all(record and record["at"] > now() - timedelta(minutes=5) for record in records)


@small
@each_form
@pytest.mark.parametrize("broke_off", [False, True])
async def test_what_is_too_much_to_tell_is_left_out_alike_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch, as_lines: bool, broke_off: bool
) -> None:
    monkeypatch.setattr(tally, "MOST_BYTES", 700)
    items = await world.items("/jobs/", 20)
    if broke_off:
        with monkeypatch.context() as broken:
            broken.setattr(Steps, "note", after(Steps.note, 5))
            assert (await world.send(items, as_lines=as_lines, report="all")).status_code == 503

    first = await world.send(items, as_lines=as_lines, report="all")
    again = await world.send(items, as_lines=as_lines, report="all")

    shown = first.json()
    assert shown["summary"] == summary(created=20)
    assert shown["truncated"]
    assert sum(len(json.dumps(item)) for item in shown["items"]) >= 700
    assert [item["index"] for item in shown["items"]] == list(range(len(shown["items"])))
    assert len(shown["items"]) in (6, 9)
    assert told(again) == told(first)


# Ingest runs


async def counts(world: World, run: str) -> Json:
    found: Json = (await world.client.get(f"/ingest-runs/{run}")).json()["counts"]
    return found


@small
@each_way
async def test_a_run_counts_once_what_is_sent_twice(world: World, as_lines: bool, atomic: bool) -> None:
    run = (await world.client.run())["id"]
    items: list[Any] = await world.items("/jobs/")
    query = {"run_id": run, **({"atomic": True} if atomic else {})}
    bad = [] if atomic else [{"title": 5}]

    first, again = [await world.send([*items, *bad], as_lines=as_lines, **query) for _ in range(2)]

    assert told(again) == told(first)
    assert await counts(world, run) == summary(created=10, rejected=len(bad))


@small
async def test_a_run_counts_once_what_broke_off_and_was_taken_up(world: World) -> None:
    run = (await world.client.run())["id"]
    items: list[Any] = [*await world.items("/jobs/"), {"title": 5}, *await world.items("/jobs/")]
    await world.cut_off(items[:7], query=f"?run_id={run}")
    halfway = await counts(world, run)
    await world.cut_off(items[:14], query=f"?run_id={run}")

    answer = await world.send(items, run_id=run)
    shown = (await world.client.get(f"/ingest-runs/{run}")).json()

    assert halfway == summary(created=6)
    assert answer.json()["summary"] == shown["counts"] == summary(created=20, rejected=1)
    assert [item["index"] for item in shown["rejected_items"]] == [10]


@small
async def test_a_run_counts_once_what_its_old_holder_could_not_finish(world: World) -> None:
    run = (await world.client.run())["id"]
    items = await world.items("/jobs/")
    await world.cut_off(items[:4], query=f"?run_id={run}")
    answers = await asyncio.gather(*(world.send(items, run_id=run) for _ in range(10)))

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await counts(world, run) == summary(created=10)


@small
@each_way
@pytest.mark.parametrize("end", ["complete", "abort"])
async def test_a_call_of_a_run_is_answered_again_when_the_run_is_over(
    world: World, as_lines: bool, end: str, atomic: bool
) -> None:
    run = (await world.client.run())["id"]
    items = await world.items("/jobs/")
    query = {"run_id": run, **({"atomic": True} if atomic else {})}
    first = await world.send(items, as_lines=as_lines, **query)
    await world.client.post(f"/ingest-runs/{run}/{end}")
    done = await world.dump()

    again = await world.send(items, as_lines=as_lines, **query)
    late = await world.send(items, as_lines=as_lines, key="other", **query)

    assert replayed(again)
    assert told(again) == told(first)
    assert refused(late) == (409, "run_not_open")
    assert await world.dump() == done


@small
async def test_a_call_that_broke_off_does_not_go_on_when_its_run_is_over(world: World) -> None:
    run = (await world.client.run())["id"]
    items = await world.items("/jobs/")
    await world.cut_off(items[:7], query=f"?run_id={run}")
    await world.client.post(f"/ingest-runs/{run}/complete")
    done = await world.dump()

    assert refused(await world.send(items, run_id=run)) == (409, "run_not_open")
    assert await world.dump() == done


@small
async def test_a_call_that_had_done_all_is_answered_though_its_run_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = (await world.client.run())["id"]
    items = await world.items("/jobs/")
    with monkeypatch.context() as broken:
        broken.setattr(Steps, "finish", unavailable)
        await world.send(items, run_id=run)
    await world.client.post(f"/ingest-runs/{run}/complete")

    answer = await world.send(items, run_id=run)

    assert answer.json()["summary"] == summary(created=10)


@small
@each_form
@pytest.mark.parametrize("items", [[], [{"title": 5}], [0] * 5], ids=["nothing", "nobody's", "no objects"])
@pytest.mark.parametrize("key", [None, KEY])
async def test_a_run_that_is_over_takes_not_even_what_nobody_can_know(
    world: World, as_lines: bool, items: list[Any], key: str | None
) -> None:
    run = (await world.client.run())["id"]
    await world.client.post(f"/ingest-runs/{run}/complete")
    done = await world.dump()

    answer = await world.client.bulk("/jobs/", items, as_lines=as_lines, key=key, run_id=run)

    assert refused(answer) == (409, "run_not_open")
    assert await world.dump() == done
    assert await world.is_free()
