"""Ingest runs through bulk calls: what a crawl sent was seen, and only what it did not send can be closed."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import bson
import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.bulk import batches
from backend.app.db.mongo import Mongo
from backend.app.db.schema import SIGHTINGS, TABLE
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.raw import raw

SOURCE, OTHER = "LinkedIn", "Indeed"
LINES = "application/x-ndjson"
STATUSES = ("created", "updated", "unchanged", "rejected")

WAYS: dict[str, Json] = {
    "array": {},
    "lines": {"as_lines": True, "report": "all"},
    "all or none": {"atomic": True},
    "array under a key": {"key": "k"},
    "lines under a key": {"as_lines": True, "report": "all", "key": "k"},
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
# Those in which one bad item does not stop the others.
each_lenient_way = pytest.mark.parametrize(
    "way",
    [way for way in WAYS.values() if "atomic" not in way],
    ids=[name for name in WAYS if "none" not in name],
)
each_mode = pytest.mark.parametrize("mode", ["replace", "merge"])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "ITEMS_IN_A_BATCH", 4)


def summary(**counts: int) -> Json:
    return {**dict.fromkeys(STATUSES, 0), **counts}


def postings(count: int, **changes: Any) -> list[Json]:
    return [samples.job(**{"source_platform": SOURCE, **changes}) for _ in range(count)]


def names(items: Sequence[Json]) -> set[str]:
    return {item["external_id"] for item in items}


async def standing(client: Client, count: int, **changes: Any) -> list[Json]:
    items = postings(count, **changes)
    assert (await client.bulk("/jobs/", items)).json()["summary"] == summary(created=count)
    return items


async def opened(client: Client) -> str:
    run: str = (await client.run(source_platform=SOURCE))["id"]
    return run


async def crawled(client: Client, run: str, items: Sequence[Any], **way: Any) -> httpx.Response:
    return await client.bulk("/jobs/", items, run_id=run, **way)


async def complete(client: Client, run: str, ratio: float = 0.5) -> httpx.Response:
    return await client.post(f"/ingest-runs/{run}/complete?max_close_ratio={ratio}")


async def active(mongo: Mongo) -> set[str]:
    return set(await mongo["jobs"].distinct("external_id", {"is_active": True}))


async def shown(client: Client, run: str) -> Json:
    found: Json = (await client.get(f"/ingest-runs/{run}")).json()
    return found


async def dump(mongo: Mongo) -> dict[str, list[bytes]]:
    found = {spec.name: await mongo[spec.name].find().sort("_id").to_list(None) for spec in TABLE}
    return {name: [bson.encode(one) for one in documents] for name, documents in found.items()}


def told(response: httpx.Response) -> list[str]:
    assert response.status_code in (200, 207), response.text
    return [item["status"] for item in response.json()["items"]]


def refused(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@each_way
async def test_a_run_closes_exactly_what_was_not_sent(client: Client, mongo: Mongo, way: Json) -> None:
    mine, others, nobodys = (
        await standing(client, 30),
        await standing(client, 5, source_platform=OTHER),
        await standing(client, 5, source_platform=None),
    )
    run, new = await opened(client), postings(7)
    changed = [{**item, "title": "Changed"} for item in mine[:5]]

    answer = await crawled(client, run, [*changed, *mine[5:20], *new], **way)
    ended = (await complete(client, run)).json()

    assert answer.json()["summary"] == ended["counts"] == summary(created=7, updated=5, unchanged=15)
    assert (ended["status"], ended["closed"]) == ("completed", 10)
    assert await active(mongo) == names([*mine[:20], *new, *others, *nobodys])


async def cut_off(app: FastAPI, run: str, items: Sequence[Json], *, key: bool) -> None:
    """Lines whose sender goes away before the end."""
    content = "".join(json.dumps(item) + "\n" for item in items).encode()
    headers = [(b"content-type", LINES.encode()), *([(b"idempotency-key", b"k")] if key else [])]
    messages = [{"type": "http.request", "body": content, "more_body": True}]
    await raw(app, "POST", f"/jobs/bulk?run_id={run}", headers, messages=messages)


@pytest.mark.parametrize("key", [False, True])
async def test_a_crawl_that_stops_halfway_and_is_never_completed_closes_nothing(
    app: FastAPI, client: Client, mongo: Mongo, key: bool
) -> None:
    mine = await standing(client, 20)
    abandoned = await opened(client)

    await cut_off(app, abandoned, mine[:9], key=key)
    later = await opened(client)
    await crawled(client, later, mine)

    assert (await complete(client, later)).json()["closed"] == 0
    assert await active(mongo) == names(mine)
    assert (await shown(client, abandoned))["status"] == "open"
    assert (await shown(client, abandoned))["counts"] == summary(unchanged=8)


@pytest.mark.parametrize("key", [False, True])
async def test_a_crawl_that_stopped_halfway_goes_on_in_another_call(
    app: FastAPI, client: Client, mongo: Mongo, key: bool
) -> None:
    mine = await standing(client, 20)
    run = await opened(client)
    await cut_off(app, run, mine[:9], key=key)

    await crawled(client, run, mine[8:18])

    assert (await complete(client, run)).json()["closed"] == 2
    assert await active(mongo) == names(mine[:18])


@each_way
async def test_a_crawl_of_two_percent_is_refused_and_changes_nothing(
    client: Client, mongo: Mongo, way: Json
) -> None:
    mine = await standing(client, 100)
    run = await opened(client)
    await crawled(client, run, mine[:2], **way)
    before = await dump(mongo)

    answer = await complete(client, run)

    assert refused(answer) == (409, "too_many_to_close")
    assert (answer.json()["active"], answer.json()["would_close"]) == (100, 98)
    after = await dump(mongo)
    assert after["jobs"] == before["jobs"]
    assert (await shown(client, run))["status"] == "open"
    # And goes on: the rest of the crawl came late.
    await crawled(client, run, mine[2:], **{**way, "key": "another"} if "key" in way else way)
    assert (await complete(client, run)).json()["closed"] == 0


@each_way
@each_mode
@pytest.mark.parametrize("changes", [{}, {"title": "Changed"}])
async def test_a_posting_that_was_closed_and_is_seen_again_comes_back(
    client: Client, mongo: Mongo, way: Json, mode: str, changes: Json
) -> None:
    items = postings(6)
    first = await opened(client)
    await crawled(client, first, items)
    await complete(client, first)
    await complete(client, await opened(client), 1)
    assert await active(mongo) == set()
    run = await opened(client)

    answer = await crawled(client, run, [{**item, **changes} for item in items[:5]], mode=mode, **way)

    assert told(answer) == ["updated"] * 5
    assert await active(mongo) == names(items[:5])
    assert (await complete(client, run)).json()["closed"] == 0
    again = await crawled(
        client, await opened(client), [{**item, **changes} for item in items[:5]], mode=mode
    )
    assert told(again) == ["unchanged"] * 5


@each_mode
async def test_a_posting_that_is_sent_as_closed_stays_so(client: Client, mongo: Mongo, mode: str) -> None:
    items = await standing(client, 3)
    closed = [{**item, "is_active": False} for item in items]

    first, again = [await crawled(client, await opened(client), closed, mode=mode) for _ in range(2)]

    assert (told(first), told(again)) == (["updated"] * 3, ["unchanged"] * 3)
    assert await active(mongo) == set()


@each_way
async def test_outside_a_run_a_closed_posting_that_is_merged_stays_closed(
    client: Client, mongo: Mongo, way: Json
) -> None:
    items = await standing(client, 3, is_active=False)
    patches = [{"external_id": item["external_id"], "title": "Changed"} for item in items]

    assert told(await client.bulk("/jobs/", patches, mode="merge", **way)) == ["updated"] * 3
    assert await active(mongo) == set()


@each_way
@each_mode
async def test_an_item_without_a_source_is_of_that_of_the_run(
    client: Client, mongo: Mongo, way: Json, mode: str
) -> None:
    bare = [samples.job() for _ in range(5)]
    null = samples.job(source_platform=None)
    run = await opened(client)

    first = await crawled(client, run, [*bare, null], mode=mode, **way)
    again = await crawled(client, await opened(client), [*bare, null], mode=mode)

    assert (told(first), told(again)) == (["created"] * 6, ["unchanged"] * 6)
    assert await mongo["jobs"].distinct("source_platform") == [SOURCE]
    # Outside any run it is of no source: the same bytes, and yet another posting.
    assert told(await client.bulk("/jobs/", bare)) == ["updated"] * 5


@each_lenient_way
@each_mode
async def test_an_item_of_another_source_is_rejected(
    client: Client, mongo: Mongo, way: Json, mode: str
) -> None:
    (theirs,) = await standing(client, 1, source_platform=OTHER)
    run, new = await opened(client), postings(5, source_platform=OTHER)

    answer = await crawled(client, run, [theirs, *new, *postings(1)], mode=mode, **way)

    assert told(answer) == ["rejected"] * 6 + ["created"]
    assert answer.json()["items"][0]["errors"] == [
        {"pointer": "/source_platform", "detail": "The run is of another source", "code": "other_source"}
    ]
    assert (await complete(client, run)).json()["closed"] == 0
    assert await mongo["jobs"].count_documents({"source_platform": OTHER, "is_active": True}) == 1


async def test_all_or_none_of_another_source_is_none(client: Client, mongo: Mongo) -> None:
    run = await opened(client)

    answer = await crawled(client, run, [*postings(2), *postings(1, source_platform=OTHER)], atomic=True)

    assert refused(answer) == (422, "invalid")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/2/source_platform"]
    assert (await mongo["jobs"].count_documents({}), await mongo[SIGHTINGS.name].count_documents({})) == (
        0,
        0,
    )
    assert (await shown(client, run))["counts"] == summary()


async def test_a_merge_into_a_posting_of_another_source_is_rejected(client: Client) -> None:
    (theirs,) = await standing(client, 1, source_platform=OTHER)
    patch = {"external_id": theirs["external_id"], "title": "Ours"}

    answer = await crawled(client, await opened(client), [patch], mode="merge")

    assert told(answer) == ["rejected"]
    assert answer.json()["items"][0]["errors"][0]["code"] == "other_source"


@each_lenient_way
@each_mode
async def test_a_rejected_item_of_a_posting_that_stands_was_seen(
    client: Client, mongo: Mongo, way: Json, mode: str
) -> None:
    mine = await standing(client, 10)
    run = await opened(client)
    bad = [{**item, "title": ""} for item in mine[:6]]

    answer = await crawled(client, run, [*bad, {**samples.job(), "title": 5}], mode=mode, **way)

    assert told(answer) == ["rejected"] * 7
    assert (await complete(client, run)).json()["closed"] == 4
    assert await active(mongo) == names(mine[:6])


@each_way
@each_mode
async def test_what_is_unchanged_was_seen_and_is_not_written(
    client: Client, mongo: Mongo, way: Json, mode: str
) -> None:
    mine = await standing(client, 10)
    # Some that a seal vouches for, and some that have to be compared.
    await mongo["jobs"].update_many({"external_id": {"$in": list(names(mine[:3]))}}, {"$unset": {"seal": ""}})
    before = (await dump(mongo))["jobs"]
    run = await opened(client)

    answer = await crawled(client, run, [*mine[:8], mine[0]], mode=mode, **way)
    after = (await dump(mongo))["jobs"]
    ended = (await complete(client, run)).json()

    assert told(answer) == ["unchanged"] * 9
    assert after == before
    assert (ended["closed"], ended["counts"]) == (2, summary(unchanged=9))
    assert await active(mongo) == names(mine[:8])


@pytest.mark.parametrize("as_lines", [False, True])
async def test_a_dry_run_notes_nothing_of_anything(client: Client, mongo: Mongo, as_lines: bool) -> None:
    mine = await standing(client, 4)
    run = await opened(client)
    before = await dump(mongo)

    items = [*mine, {"title": 5}, *postings(3)]
    answer = await crawled(client, run, items, as_lines=as_lines, dry_run=True, key="k")

    assert answer.json()["summary"] == summary(created=3, unchanged=4, rejected=1)
    assert await dump(mongo) == before
    assert await mongo[SIGHTINGS.name].count_documents({}) == 0
    assert refused(await complete(client, run)) == (409, "too_many_to_close")


@each_lenient_way
async def test_the_counts_of_calls_add_up_and_the_first_hundred_rejected_are_kept(
    client: Client, way: Json
) -> None:
    run = await opened(client)
    bad = [{**samples.job(), "title": ""} for _ in range(150)]

    await crawled(client, run, [*postings(5), *bad[:70]], **way)
    await crawled(client, run, [*postings(1), *bad[70:], {}], **{**way, "key": "another"})

    found = await shown(client, run)
    assert found["counts"] == summary(created=6, rejected=151)
    kept = [(one["index"], one["external_id"]) for one in found["rejected_items"]]
    first = [(index + 5, item["external_id"]) for index, item in enumerate(bad[:70])]
    assert kept == first + [(index + 1, item["external_id"]) for index, item in enumerate(bad[70:100])]
    assert {fault["pointer"] for one in found["rejected_items"] for fault in one["errors"]} == {"/title"}


@each_way
@each_mode
@pytest.mark.parametrize("verb", ["complete", "abort"])
async def test_a_run_that_is_over_takes_no_call(
    client: Client, mongo: Mongo, way: Json, mode: str, verb: str
) -> None:
    (mine,) = await standing(client, 1)
    run = await opened(client)
    await crawled(client, run, [mine])
    await client.post(f"/ingest-runs/{run}/{verb}")
    before = await dump(mongo)

    answer = await crawled(client, run, [mine, *postings(5)], mode=mode, **way)

    assert refused(answer) == (409, "run_not_open")
    assert await dump(mongo) == before


@each_way
async def test_a_run_that_is_not_there_takes_no_call(client: Client, mongo: Mongo, way: Json) -> None:
    absent = await crawled(client, str(ObjectId()), postings(1), **way)
    malformed = await crawled(client, "x", postings(1), **way)

    assert (absent.status_code, absent.json()["detail"]) == (404, "IngestRun not found")
    assert (malformed.status_code, malformed.json()["detail"]) == (400, "Invalid run ID")
    assert await mongo["jobs"].count_documents({}) == 0


@pytest.mark.parametrize("path", ["/job-matches/", "/interactions/"])
async def test_only_postings_are_seen_by_a_run(client: Client, path: str) -> None:
    answer = await client.bulk(path, [], run_id=await opened(client))

    assert refused(answer) == (422, "invalid")


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("rest", ["of postings", "of nothing"])
async def test_a_run_that_is_completed_in_the_midst_of_a_call_takes_no_more_of_it(
    client: Client, mongo: Mongo, key: str | None, rest: str
) -> None:
    mine = await standing(client, 12)
    run, new = await opened(client), postings(12)
    reached, go_on = asyncio.Event(), asyncio.Event()
    later = [*mine[4:], *new[4:]] if rest == "of postings" else [{}] * 8
    lines = [json.dumps(item).encode() + b"\n" for item in [*mine[:4], *new[:4], *later]]

    async def pieces() -> AsyncIterator[bytes]:
        yield b"".join(lines[:9])
        reached.set()
        await go_on.wait()
        yield b"".join(lines[9:])

    headers = {"Content-Type": LINES, **({"Idempotency-Key": key} if key else {})}
    path = f"/jobs/bulk?run_id={run}"
    call = asyncio.create_task(client.post(path, content=pieces(), headers=headers))
    await reached.wait()
    ended = await complete(client, run, 1)
    go_on.set()
    answer = await call

    assert ended.status_code == 200
    assert refused(answer) == (409, "run_not_open")
    stand = {job["external_id"] for job in await mongo["jobs"].find().to_list(None)}
    seen = stand & names(new)
    # Without a key the second batch may still be on its way when the third is asked for.
    assert seen in ([names(new[:4])] if key else [names(new[:4]), set()])
    assert await active(mongo) == names(mine[:4]) | seen
    assert ended.json()["closed"] == 8
    assert (await shown(client, run))["counts"]["rejected"] == 0


@each_way
async def test_calls_at_once_and_a_completion_lose_nothing_that_was_answered_for(
    client: Client, mongo: Mongo, way: Json
) -> None:
    for _ in range(3):
        await mongo["jobs"].delete_many({})
        mine = await standing(client, 80)
        run = await opened(client)
        parts = [[*mine[start : start + 8], *postings(1)] for start in range(0, 80, 8)]
        keys = [{"key": str(ObjectId())} if "key" in way else {} for _ in parts]

        *answers, ended = await asyncio.gather(
            *(crawled(client, run, part, **{**way, **key}) for part, key in zip(parts, keys, strict=True)),
            complete(client, run, 1),
        )

        assert {answer.status_code for answer in answers} <= {200, 409}
        assert ended.status_code == 200
        answered = [part for part, answer in zip(parts, answers, strict=True) if answer.status_code == 200]
        assert names([item for part in answered for item in part]) <= await active(mongo)
        assert {refused(answer) for answer in answers if answer.status_code == 409} <= {(409, "run_not_open")}
