"""Bodies that must be refused, on every route that takes one: always a 4xx problem, and nothing stored."""

import gzip
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import product
from typing import Any

import bson
import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.db.schema import TABLE
from backend.app.models.base import EXAMPLE_IDS
from backend.tests import malformed, unfit
from backend.tests.client import Client
from backend.tests.malformed import Json
from backend.tests.raw import raw
from backend.tests.refusals import refusal
from backend.tests.routes import WITH_BODY, Operation, noun_of
from backend.tests.unfit import MARKER

JSON = {"Content-Type": "application/json"}


each_route = pytest.mark.parametrize("route", WITH_BODY, ids=str)


class World:
    """One document of each kind, made from the examples, and what can be sent to change them."""

    def __init__(self, client: Client, mongo: Mongo) -> None:
        self.client = client
        self.mongo = mongo
        self.ids: dict[str, str] = {}

    async def fill(self) -> None:
        creates = {route.route.response_model: route for route in WITH_BODY if route.method == "POST"}
        for spec in TABLE:
            if spec.model in creates:
                await self.client.make(creates[spec.model].path, self.example(creates[spec.model]))
            document = await self.mongo.db[spec.name].find_one({})
            assert document is not None
            self.ids[EXAMPLE_IDS[noun_of(spec.model)]] = str(document["_id"])

    def here(self, text: str) -> str:
        """With the ids of this world in place of the examples'."""
        for example, own in self.ids.items():
            text = text.replace(example, own)
        return text

    def example(self, route: Operation) -> dict[str, Json]:
        example: dict[str, Json] = json.loads(self.here(json.dumps(route.example)))
        return example

    def good(self, route: Operation) -> dict[str, Json]:
        """A body that would be taken, with the marker wherever any text may stand."""
        body = self.example(route)
        for place, about in unfit.fields(route.schema, route.schema.get("$defs", {})):
            if len(place) == 1 and is_free_text(about) and place[0] in body:
                body[str(place[0])] = MARKER
        return body | ({"email": f"{MARKER}@example.com"} if "email" in body else {})

    async def send(self, route: Operation, content: Any, **headers: str) -> httpx.Response:
        sent = [(name.encode(), value.encode("latin-1")) for name, value in (JSON | headers).items()]
        return await self.client.request(route.method, self.here(route.path), content=content, headers=sent)

    async def wrongs(self, route: Operation, contents: Iterable[bytes], *statuses: int) -> list[str]:
        """What is wrong with the answers to bodies that must all be refused, and leave no trace."""
        before = await self.dump()
        wrongs = []
        for content in contents:
            wrong = refusal(await self.send(route, content), *statuses)
            if wrong:
                wrongs.append(f"{wrong} to {content[:200]!r}")
        assert await self.dump() == before
        return wrongs

    async def dump(self) -> dict[str, list[bytes]]:
        """All that is stored, byte for byte."""
        return {
            name: [
                bson.encode(document)
                for document in await self.mongo.db[name].find().sort("_id").to_list(None)
            ]
            for name in sorted(await self.mongo.db.list_collection_names())
        }


def is_free_text(schema: dict[str, Json]) -> bool:
    kinds = [schema, *schema.get("anyOf", [])]
    return any(
        kind.get("type") == "string" and not {"pattern", "format", "enum"} & set(kind) for kind in kinds
    )


@pytest.fixture
async def world(client: Client, mongo: Mongo) -> World:
    world = World(client, mongo)
    await world.fill()
    return world


def encoded(bodies: Iterable[Json]) -> Iterator[bytes]:
    return (json.dumps(body).encode() for body in bodies)


def test_the_corpus_holds_hundreds_of_bodies_and_none_is_json() -> None:
    corpus = set(malformed.bodies({"a": "b", "c": [1, {"d": None}]}))

    assert len(corpus) > 600
    assert [body for body in corpus if malformed.is_json(body)] == []


def test_every_resource_takes_bodies() -> None:
    assert {str(route).split("/")[1] for route in WITH_BODY} == {
        "users",
        "jobs",
        "job-matches",
        "saved-searches",
        "interactions",
        "ingest-runs",
    }
    assert len(WITH_BODY) >= 14


@each_route
async def test_the_body_without_a_fault_would_be_taken(world: World, route: Operation) -> None:
    response = await world.send(route, json.dumps(world.good(route)))

    # The same interaction a second time is a conflict, which is to say a good body.
    assert response.status_code in (200, 201, 409), response.text


@each_route
async def test_what_is_not_json_is_refused(world: World, route: Operation) -> None:
    assert await world.wrongs(route, malformed.bodies(world.good(route)), 400) == []


@each_route
async def test_what_is_not_an_object_is_refused(world: World, route: Operation) -> None:
    body = world.good(route)

    assert await world.wrongs(route, encoded([*unfit.NOT_OBJECTS, [body], json.dumps(body)]), 422) == []


@each_route
async def test_a_value_that_a_field_does_not_allow_is_refused(world: World, route: Operation) -> None:
    body, definitions = world.good(route), route.schema.get("$defs", {})

    bodies = (
        malformed.put(body, place, value)
        for place, about in unfit.fields(route.schema, definitions)
        for value in unfit.refused_values(about, definitions)
    )

    assert await world.wrongs(route, encoded(bodies), 400, 422) == []


@each_route
async def test_a_field_that_is_not_the_clients_to_set_is_refused(world: World, route: Operation) -> None:
    known = set(route.schema["properties"])
    response_model = route.route.response_model
    assert issubclass(response_model, BaseModel)
    theirs = {"_id", "revision", "$set", "", "a.b", "a\0", *response_model.model_fields} - known
    body = world.good(route)

    bodies = ({**body, name: value} for name, value in product(sorted(theirs), (None, 1, {"$gt": MARKER})))

    assert await world.wrongs(route, encoded(bodies), 422) == []


@each_route
async def test_a_number_too_long_for_anything_is_refused(world: World, route: Operation) -> None:
    body = world.good(route)
    places = product(malformed.places(body), unfit.OVERLONG)

    bodies = (*unfit.OVERLONG, *(malformed.with_raw(body, place, number) for place, number in places))

    assert await world.wrongs(route, bodies, 400, 422) == []


@each_route
async def test_a_body_nested_too_deep_is_refused(world: World, route: Operation) -> None:
    body = world.good(route)
    first = next(iter(body))

    def bodies(inner: int) -> Iterator[bytes]:
        for deep in (b"[" * inner + b"]" * inner, b'{"a":' * (inner - 1) + b"{}" + b"}" * (inner - 1)):
            yield b"[" + deep + b"]"
            yield b'{"a":' + deep + b"}"
            for name in (first, "credentials", "search_query", "a"):
                yield malformed.with_raw(body, (name,), deep)

    deep = (content for depth in (65, 500, 100_000) for content in bodies(depth - 1))

    assert await world.wrongs(route, deep, 400) == []


@each_route
async def test_a_body_may_be_as_large_as_the_limit_and_no_larger(world: World, route: Operation) -> None:
    limit = Settings(_env_file=None).max_body_bytes
    good, unwanted = json.dumps(world.good(route)).encode(), json.dumps({MARKER: 1}).encode()

    async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 65536):
            yield content[start : start + 65536]

    before = await world.dump()
    over = good.ljust(limit + 1)
    too_large = [
        await world.send(route, over),
        await world.send(route, in_chunks(over)),
        await world.send(route, in_chunks(over), **{"Content-Length": "2"}),
        await world.send(route, b"{}", **{"Content-Length": str(limit + 1)}),
        await world.send(route, b"\xff" * (limit + 1)),
    ]
    assert [refusal(response, 413) for response in too_large] == [None] * len(too_large)
    assert await world.dump() == before
    assert refusal(await world.send(route, unwanted.ljust(limit)), 422, may_name=MARKER) is None
    assert (await world.send(route, in_chunks(good.ljust(limit)))).status_code in (200, 201, 409)


ENCODINGS = (
    "gzip",
    "br",
    "deflate",
    "zstd",
    "compress",
    "x-gzip",
    MARKER,
    "gzip, identity",
    "identity, br",
    "*",
    "é",
)


@each_route
async def test_a_compressed_body_is_refused(world: World, route: Operation) -> None:
    body = json.dumps(world.good(route)).encode()
    before = await world.dump()

    responses = [
        await world.send(route, content, **{"Content-Encoding": encoding})
        for encoding in ENCODINGS
        for content in (body, gzip.compress(body), b"")
    ]

    assert {refusal(response, 415) for response in responses} == {None}
    assert await world.dump() == before


KINDS = (
    "",
    " ",
    ";",
    "/",
    "json",
    "application",
    "application/",
    "/json",
    "application/jsonx",
    "application/xjson",
    "application/json5",
    "application/x-ndjson",
    "application/json-seq",
    "application/javascript",
    "application/xml",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/json",
    "text/html; application/json",
    "application/json, text/plain",
    "text/plain, application/json",
    "*/*",
    "application/*",
    "application/+json",
    "a/b+json",
    "application/\xe9+json",
    f"application/{MARKER}",
    "application/json; charset=utf-16",
    "application/json; charset=utf-7",
    "application/json; charset=latin-1",
    "application/json; charset=us-ascii",
    'application/json; charset="utf-16"',
    "application/json; charset=",
    "application/json; charset*=utf-8''utf-16",
    "application/json; charset*=bogus''utf-8",
    "application/json; charset*0=utf; charset*1=-16",
    "application/json; charset*0*=''%FF; charset*x=1",
    f"application/json; charset={MARKER}",
    "application/json; charset=" + "x" * 10_000,
    "application/json" + "x" * 10_000,
)


@each_route
async def test_a_body_that_is_not_declared_as_json_in_utf8_is_refused(world: World, route: Operation) -> None:
    body = json.dumps(world.good(route)).encode()
    before = await world.dump()

    answers = {kind: await world.send(route, body, **{"Content-Type": kind}) for kind in KINDS}
    answers["none"] = await world.client.request(route.method, world.here(route.path), content=body)

    assert {kind: wrong for kind, answer in answers.items() if (wrong := refusal(answer, 415))} == {}
    assert await world.dump() == before


GOOD_KINDS = (
    "application/json",
    "Application/JSON",
    "application/json;charset=UTF-8",
    'application/json ; charset="utf-8"',
    "application/json; charset=utf8",
    "application/merge-patch+json",
    "application/vnd.example.v1+json",
    "application/json; profile=x",
)


@each_route
async def test_a_body_that_is_declared_as_json_is_read(world: World, route: Operation) -> None:
    body = json.dumps(world.good(route))

    answers = {kind: await world.send(route, body, **{"Content-Type": kind}) for kind in GOOD_KINDS}

    assert {kind for kind, answer in answers.items() if answer.status_code not in (200, 201, 409)} == set()


FREE_FORM = [
    pytest.param(route, place, id=f"{route} {'.'.join(map(str, place))}")
    for route in WITH_BODY
    for place, about in unfit.fields(route.schema, route.schema.get("$defs", {}))
    if any(choice.get("additionalProperties") is True for choice in about.get("anyOf", [about]))
]


@pytest.mark.parametrize(("route", "place"), FREE_FORM)
@pytest.mark.parametrize("value", list(unfit.objects_to_take()))
async def test_an_object_of_the_clients_own_comes_back_as_it_was_sent(
    world: World, route: Operation, place: malformed.Place, value: dict[str, Json]
) -> None:
    answer = (await world.send(route, json.dumps(malformed.put(world.good(route), place, value)))).json()

    for step in place:
        answer = answer[step]
    # A patch merges it into what was there. As text, since Python calls 1 and 1.0 and true equal.
    assert sorted_json({key: answer.get(key) for key in value}) == sorted_json(value)


def sorted_json(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


FLOODS = {
    "a list of what it may not hold": b'{"preferences": {"skills": [%s 1]}}' % (b"1," * 500_000),
    "fields that nobody knows": b"{%s}" % b",".join(b'"%x": 1' % number for number in range(90_000)),
    "keys of one's own": b'{"credentials": {%s}}'
    % b",".join(b'"%x": 1' % number for number in range(80_000)),
    "empty lists": b'{"credentials": {"a": [%s []]}}' % (b"[]," * 300_000),
    "empty objects": b'{"credentials": {"a": [%s {}]}}' % (b"{}," * 300_000),
    # To put these into their normal form takes time that grows with the square of their number.
    "combining marks": json.dumps(
        {"email": "a" + "\u0301\u0323" * 100_000 + "@b.c"}, ensure_ascii=False
    ).encode(),
    "an address without an end": json.dumps({"email": "a@" + "b." * 500_000}).encode(),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_body_of_a_million_faults_is_refused_like_one_of_a_few(client: Client, flood: str) -> None:
    user = await client.user()

    response = await client.patch(f"/users/{user['id']}", content=FLOODS[flood], headers=JSON)

    assert refusal(response, 422) is None
    assert len(response.content) < 10_000
    assert (await client.get(f"/users/{user['id']}")).json() == user


async def test_a_user_does_not_outgrow_what_a_match_can_copy(client: Client) -> None:
    user = await client.user(credentials={"a": "x" * 65_000})
    words = [f"{number:020}" for number in range(1000)]
    names = ("desired_locations", "target_roles", "skills")

    grown = [
        await client.patch(f"/users/{user['id']}", json={"preferences": {name: words}}) for name in names
    ]
    more = await client.patch(
        f"/users/{user['id']}", json={"preferences": {"experience_level": "x" * 60_000}}
    )
    match = await client.match(user_id=user["id"])
    patched = await client.patch(f"/job-matches/{match['id']}", json={"match_reason": "B"})

    assert [answer.status_code for answer in (*grown, more)].count(422) >= 1
    assert refusal(more, 422) is None
    assert match["user_snapshot"]["credentials_at_match"] == user["credentials"]
    assert (patched.status_code, patched.json()["match_reason"]) == (200, "B")


async def test_two_values_for_one_key_are_one_and_the_last(client: Client) -> None:
    raw = b'{"name": "A", "name": "B", "email": "a@b.c", "credentials": {"a": 1, "a": {"$gt": 1}, "a": 2}}'

    response = await client.post("/users/", content=raw, headers=JSON)

    assert response.status_code in (201, 400, 422)
    if response.status_code == 201:
        assert (response.json()["name"], response.json()["credentials"]) == ("B", {"a": 2})


async def test_a_body_that_is_cut_off_by_its_sender_is_no_fault_of_the_app(
    app: FastAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    before = await world.dump()
    cut_off = [{"type": "http.request", "body": b'{"name": "A", ', "more_body": True}]

    answer = await raw(app, "POST", "/users/", [(b"content-type", b"application/json")], messages=cut_off)

    assert answer is None or refusal(answer, 400) is None
    assert "fault" not in caplog.text
    assert await world.dump() == before
