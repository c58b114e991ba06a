"""What a bulk call takes as a body, and what it refuses: all of it, or an item."""

import gzip
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.main import create_app
from backend.app.models.base import Body
from backend.app.models.bulk import InteractionItem, MatchItem
from backend.app.models.jobs import JobIn
from backend.tests import malformed, samples, unfit
from backend.tests.client import Client, Json
from backend.tests.refusals import refusal
from backend.tests.unfit import MARKER

ARRAY, LINES = "application/json", "application/x-ndjson"
PARENTS = ("user_id", "user_email", "job_id", "job_external_id")
ZEROS = {"created": 0, "updated": 0, "unchanged": 0, "rejected": 0}
MODELS: dict[str, type[Body]] = {
    "/jobs/": JobIn,
    "/job-matches/": MatchItem,
    "/interactions/": InteractionItem,
}
COLLECTIONS = {"/jobs/": "jobs", "/job-matches/": "job_matches", "/interactions/": "user_job_interactions"}
each_path = pytest.mark.parametrize("path", MODELS)
each_form = pytest.mark.parametrize("form", [ARRAY, LINES])


@dataclass
class World:
    client: Client
    mongo: Mongo
    parents: Json

    def good(self, path: str) -> Json:
        """An item that would be taken, with every field."""
        example: Json = MODELS[path].model_json_schema()["examples"][0]
        return example if path == "/jobs/" else {**example, **self.parents}

    async def send(self, path: str, content: Any, form: str = ARRAY, **query: Any) -> httpx.Response:
        headers = {"Content-Type": form}
        return await self.client.post(f"{path}bulk", content=content, headers=headers, params=query)

    async def count(self, path: str) -> int:
        return await self.mongo[COLLECTIONS[path]].count_documents({})


@pytest.fixture
async def world(client: Client, mongo: Mongo) -> World:
    user, job = await client.user(), await client.job()
    return World(client, mongo, {"user_email": user["email"], "job_external_id": job["external_id"]})


def array_of(items: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def without(item: Json, *names: str) -> Json:
    return {name: value for name, value in item.items() if name not in names}


@each_path
async def test_what_is_not_json_is_refused_as_a_whole(world: World, path: str) -> None:
    good = world.good(path)
    stood = await world.count(path)
    first = json.dumps(good).encode()

    spoilt = [array_of([first, bad]) for bad in malformed.bodies(good)]
    spoilt += [start + array_of([first]) + end for start, end in malformed.AROUND]
    contents = [content for content in spoilt if not malformed.is_json(content)]
    wrongs = [wrong for one in contents if (wrong := refusal(await world.send(path, one), 400, 422))]

    assert len(contents) > 600
    assert wrongs == []
    assert await world.count(path) == stood


@each_path
async def test_a_line_that_is_not_json_is_refused_alone(world: World, path: str) -> None:
    good = json.dumps(world.good(path)).encode()
    bad = [
        line for line in malformed.bodies(json.loads(good)) if b"\n" not in line and line.strip(b"\r\t \v\f")
    ]
    stood = await world.count(path)

    content = b"\n".join(line for wrong in bad for line in (good, wrong))
    told = (await world.send(path, content, LINES, report="all")).json()

    assert told["summary"] == {"created": 1, "updated": 0, "unchanged": len(bad) - 1, "rejected": len(bad)}
    assert {item["errors"][0]["code"] for item in told["items"][1::2]} == {"malformed_body"}
    assert await world.count(path) == stood + 1


@each_path
@each_form
async def test_an_item_that_is_not_an_object_is_refused_alone(world: World, path: str, form: str) -> None:
    items = [json.dumps(value).encode() for value in unfit.NOT_OBJECTS]

    answer = await world.send(path, array_of(items) if form == ARRAY else b"\n".join(items), form)

    assert (answer.status_code, answer.json()["summary"]) == (207, {**ZEROS, "rejected": len(items)})
    assert {
        (fault["pointer"], fault["code"]) for one in answer.json()["items"] for fault in one["errors"]
    } == {("", "object_type")}
    assert MARKER not in answer.text


@pytest.mark.parametrize("value", [b"{}", b"5", b'"[]"', b"null", b"true", b'{"items": []}'])
async def test_what_is_json_and_no_array_is_422(world: World, value: bytes) -> None:
    answer = await world.send("/jobs/", value)

    assert refusal(answer, 422) is None
    assert answer.json()["errors"] == [
        {"pointer": "", "detail": "Input should be a JSON array", "code": "array_type"}
    ]


@each_path
async def test_an_item_is_refused_for_what_a_single_one_is_refused_for(world: World, path: str) -> None:
    item, stood = world.good(path), await world.count(path)
    schema = MODELS[path].model_json_schema()
    bodies = [
        malformed.put(item, place, value)
        for place, about in unfit.fields(schema, schema.get("$defs", {}))
        if place[0] not in PARENTS
        for value in unfit.refused_values(about, schema.get("$defs", {}))
    ]
    bodies += [{**item, name: 1} for name in ("_id", "id", "revision", "seal", "$set", "", "a.b", "a\0")]
    single = {"user_id": "6" * 24, "job_id": "6" * 24} if path != "/jobs/" else {}

    for start in range(0, len(bodies), 500):
        some = bodies[start : start + 500]
        told = (await world.client.bulk(path, some, as_lines=True)).json()
        for body, outcome in zip(some, told["items"], strict=True):
            alone = await world.client.post(path, json={**without(body, *PARENTS), **single})
            assert outcome["status"] == "rejected", body
            faults = alone.json().get("errors")
            if faults is None:
                assert (alone.status_code, alone.json()["code"]) == (400, outcome["errors"][0]["code"])
            else:
                assert outcome["errors"] == faults[:5]
            assert MARKER not in json.dumps(outcome["errors"]) + json.dumps(outcome["id"])
    assert await world.count(path) == stood


async def test_numbers_and_depths_that_nothing_here_can_hold_are_refused_alone(world: World) -> None:
    item = world.good("/job-matches/")
    snapshot = ("user_snapshot", "credentials_at_match", "a")
    raw = [malformed.with_raw(item, snapshot, number) for number in unfit.OVERLONG]
    raw += [malformed.with_raw(item, ("relevancy_score",), number) for number in unfit.OVERLONG]
    deep = [malformed.with_raw(item, snapshot, b"[" * depth + b"]" * depth) for depth in (33, 62, 500)]

    for form, content in ((LINES, b"\n".join([*raw, *deep])), (ARRAY, array_of(deep))):
        told = (await world.send("/job-matches/", content, form)).json()
        assert told["summary"]["rejected"] == told["items"][-1]["index"] + 1, told["summary"]
    assert {item["errors"][0]["code"] for item in told["items"][-3:]} == {"object_too_deep", "malformed_body"}
    assert await world.count("/job-matches/") == 0


@each_form
async def test_an_item_may_be_as_long_as_a_single_body_and_no_longer(world: World, form: str) -> None:
    limit = Settings(_env_file=None).max_body_bytes
    fits, over = (json.dumps(samples.job()).encode().ljust(length) for length in (limit, limit + 1))
    over = over[:-1].rstrip()[:-1] + b" " * (limit + 1 - len(over[:-1].rstrip())) + b"}"
    first, last = (json.dumps(samples.job()).encode() for _ in range(2))
    fits = fits.rstrip()[:-1].ljust(limit - 1) + b"}"
    lines = [first, fits, over, last]

    told = (
        await world.send(
            "/jobs/", array_of(lines) if form == ARRAY else b"\n".join(lines), form, report="all"
        )
    ).json()

    assert [len(line) - limit for line in lines[1:3]] == [0, 1]
    assert [item["status"] for item in told["items"]] == ["created", "created", "rejected", "created"]
    assert [fault["code"] for fault in told["items"][2]["errors"]] == ["too_large"]


@each_form
async def test_an_item_larger_than_a_document_may_be_is_refused_alone(world: World, form: str) -> None:
    huge = "x" * (17 * 1024 * 1024)
    items = [samples.job(description=huge), {**samples.job(), "external_id": huge}, samples.job()]

    answer = await world.client.bulk("/jobs/", items, as_lines=form == LINES)
    match = samples.match("6" * 24, "6" * 24)
    named = {"job_external_id": huge, "user_email": huge}
    matches = await world.client.bulk(
        "/job-matches/", [{**without(match, *PARENTS), **named}], as_lines=form == LINES
    )

    assert answer.json()["summary"] == {**ZEROS, "created": 1, "rejected": 2}
    assert (matches.status_code, matches.json()["summary"]["rejected"]) == (207, 1)


async def test_an_address_of_any_length_takes_no_time_to_refuse(world: World) -> None:
    email = "a" + "\u0301\u0316" * 60_000 + "@example.com"
    item = {**world.good("/job-matches/"), "user_email": email}

    answer = await world.client.bulk("/job-matches/", [item])

    assert {fault["pointer"] for fault in answer.json()["items"][0]["errors"]} == {"/user_email"}


async def test_an_array_has_ten_thousand_items_at_most(world: World) -> None:
    most = await world.send("/jobs/", b"[" + b"0," * 9_999 + b"0]", report="none")
    more = await world.send("/jobs/", b"[" + b"0," * 10_000 + b"0]")
    # Stops counting at the first that is too many, whatever comes after.
    many = await world.send("/jobs/", b"[" + b"0," * 10_000 + b"...")

    assert most.json()["summary"] == {**ZEROS, "rejected": 10_000}
    assert [refusal(answer, 413) for answer in (more, many)] == [None, None]


async def test_an_array_is_as_large_as_the_limit_at_most(mongo: Mongo, settings: Settings) -> None:
    small = settings.model_copy(update={"max_bulk_bytes": 5_000})
    app = create_app(small, database=settings.test_db)
    good = json.dumps([samples.job()]).encode()

    async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1_000):
            yield content[start : start + 1_000]

    async with (
        LifespanManager(app),
        Client(transport=httpx.ASGITransport(app), base_url="http://x") as client,
    ):
        world = World(client, mongo, {})
        over = [
            await world.send("/jobs/", body) for body in (good.ljust(5_001), in_chunks(good.ljust(5_001)))
        ]
        fits = await world.send("/jobs/", in_chunks(good.ljust(5_000)))

    assert [refusal(answer, 413) for answer in over] == [None, None]
    assert fits.json()["summary"] == {**ZEROS, "created": 1}


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_lines_come_in_pieces_of_any_size(world: World, size: int) -> None:
    jobs = [samples.job(title="Ingénieur \N{PERSONAL COMPUTER}") for _ in range(9)]
    text = [json.dumps(job, ensure_ascii=False) for job in jobs]
    content = "\n\n \r\n".join([*text[:3], "nonsense", *text[3:]]).encode() + b"\r\n\t\n"

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    told = (await world.send("/jobs/", in_pieces(), LINES, report="all")).json()

    assert told["summary"] == {**ZEROS, "created": 9, "rejected": 1}
    assert [item["external_id"] for item in told["items"] if item["id"]] == [
        job["external_id"] for job in jobs
    ]
    assert [item["index"] for item in told["items"]] == list(range(10))
    assert await world.mongo["jobs"].count_documents({"title": "Ingénieur \N{PERSONAL COMPUTER}"}) == 9


async def test_a_line_that_is_too_long_is_let_pass_whatever_is_in_it(world: World) -> None:
    limit = Settings(_env_file=None).max_body_bytes
    first, last = (json.dumps(samples.job()).encode() for _ in range(2))
    long = b"x" * (3 * limit)

    async def pieces() -> AsyncIterator[bytes]:
        for content in (first, b"\n", long[:limit], long, b'{"a":1}\n' + last + b"\n", long, b"x"):
            yield content

    told = (await world.send("/jobs/", pieces(), LINES, report="all")).json()

    assert [item["status"] for item in told["items"]] == ["created", "rejected", "created", "rejected"]
    assert {item["errors"][0]["code"] for item in told["items"][1::2]} == {"too_large"}


@each_form
@pytest.mark.parametrize("content", [b"", b" ", b"\r\n\r\n", b"[]", b" [ ] "])
async def test_an_empty_body(world: World, form: str, content: bytes) -> None:
    answer = await world.send("/jobs/", content, form)

    if form == LINES:
        assert (answer.status_code, answer.json()["summary"]["rejected"]) == (
            (207, 1) if b"[" in content else (200, 0)
        )
    elif b"[" in content:
        assert (answer.status_code, answer.json()["summary"]) == (200, ZEROS)
    else:
        assert refusal(answer, 400) is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/x-ndjson", 200),
        ("Application/X-NDJSON; charset=utf-8", 200),
        ("application/jsonl", 200),
        ("application/x-ndjson; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/json-seq", 415),
        ("text/csv", 415),
        ("", 415),
    ],
)
async def test_only_json_in_utf8_is_taken(world: World, kind: str, status: int) -> None:
    answer = await world.send("/jobs/", json.dumps(samples.job()), kind)

    assert answer.status_code == status
    assert status == 200 or refusal(answer, 415) is None


@each_form
async def test_a_compressed_body_is_refused(world: World, form: str) -> None:
    content = gzip.compress(json.dumps([samples.job()]).encode())
    headers = {"Content-Type": form, "Content-Encoding": "gzip"}

    answer = await world.client.post("/jobs/bulk", content=content, headers=headers)

    assert refusal(answer, 415) is None


@each_path
async def test_both_slash_forms_answer(world: World, path: str) -> None:
    answers = [await world.client.post(f"{path}bulk{slash}", json=[]) for slash in ("", "/")]

    assert [answer.status_code for answer in answers] == [200, 200]


@each_path
@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a b"])
async def test_a_key_that_is_none_is_400(world: World, path: str, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]
    answer = await world.client.post(f"{path}bulk", json=[], headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
