"""`Idempotency-Key`: every POST, however often it is sent under one key, is done once and answered alike."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import bson
import httpx
import pytest
from bson import ObjectId

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.db.schema import ANSWERS, JOBS, TABLE, USERS, Spec
from backend.app.main import create_app
from backend.app.models.base import now
from backend.tests import samples
from backend.tests.client import Client
from backend.tests.consistency import users_without_stats
from backend.tests.fuzz.stock import document
from backend.tests.routes import OPERATIONS, Operation

Node = dict[str, Any]

SCHEMAS: Node = create_app(Settings(_env_file=None)).openapi()["components"]["schemas"]
JSON = {"Content-Type": "application/json"}
KEY = {"Idempotency-Key": "9f1c7a52"}

POSTS = tuple(operation for operation in OPERATIONS if operation.method == "POST")
each_post = pytest.mark.parametrize("post", POSTS, ids=str)


def other_content(post: Operation) -> bytes:
    sent = post.content or b""
    return json.dumps(json.loads(sent) * 2).encode() if post.item else sent + b"\n"


def makes(post: Operation) -> Spec | None:
    """The collection that it adds to; nothing for those that act on what is there."""
    specs = [spec for spec in TABLE if spec.model is post.route.response_model]
    return specs[0] if specs and not post.ids else None


@dataclass
class World:
    """A database with the documents that the examples speak of, but for those that a POST would make."""

    client: Client
    mongo: Mongo

    async def fill(self, post: Operation) -> None:
        for spec in TABLE:
            if spec is not makes(post):
                stored = document(spec, SCHEMAS[spec.model.__name__])
                # No active posting: a run that saw none may not close all there are.
                changes = {"created_at": now(), **({"is_active": False} if spec is JOBS else {})}
                await self.mongo[spec.name].insert_one(stored | changes)

    async def send(self, post: Operation, **changes: Any) -> httpx.Response:
        asked = {"url": post.path, "content": post.content, "headers": KEY, **changes}
        asked["headers"] = {**JSON, **asked["headers"]} if asked["content"] else asked["headers"]
        return await self.client.post(**asked)

    async def dump(self) -> dict[str, list[bytes]]:
        """All that is stored, answers aside, byte for byte."""
        return {
            spec.name: [
                bson.encode(one) for one in await self.mongo[spec.name].find().sort("_id").to_list(None)
            ]
            for spec in TABLE
        }

    async def answers(self) -> int:
        return await self.mongo[ANSWERS.name].count_documents({})


@pytest.fixture
def world(client: Client, mongo: Mongo) -> World:
    return World(client, mongo)


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """What must be the same however often it is told."""
    own = ("x-request-id", "idempotent-replayed")
    return (
        answer.status_code,
        answer.content,
        {name: value for name, value in answer.headers.items() if name not in own},
    )


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@each_post
async def test_the_same_request_again_gets_the_first_answer_and_does_nothing(
    world: World, post: Operation
) -> None:
    await world.fill(post)

    first = await world.send(post)
    done = await world.dump()
    again = await world.send(post)
    slashless = await world.send(post, url=post.path.rstrip("/"))

    assert first.is_success, first.text
    assert told(again) == told(slashless) == told(first)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == slashless.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await world.dump() == done


@each_post
async def test_twenty_at_once_have_one_effect_and_one_answer(world: World, post: Operation) -> None:
    await world.fill(post)

    answers = await asyncio.gather(*(world.send(post) for _ in range(20)))
    early = [answer for answer in answers if answer.status_code == 409]
    late = [await world.send(post) for _ in early]

    assert {refused(answer) for answer in early} <= {(409, "in_progress")}
    assert {answer.headers["retry-after"] for answer in early} <= {"1"}
    served = [answer for answer in (*answers, *late) if answer.status_code != 409]
    assert len(served) == 20
    assert all(answer.is_success for answer in served)
    assert [told(answer) for answer in served] == [told(served[0])] * 20
    if not post.ids:
        # To end what is ended already comes to the same; to make something again would not.
        assert sum("idempotent-replayed" not in answer.headers for answer in served) == 1
    if spec := makes(post):
        assert await world.mongo[spec.name].count_documents({}) == 1


@each_post
async def test_without_a_key_nothing_is_noted(world: World, post: Operation) -> None:
    await world.fill(post)

    answer = await world.send(post, headers={})

    assert answer.is_success
    assert await world.answers() == 0


@pytest.mark.parametrize("post", [post for post in POSTS if post.content], ids=str)
async def test_another_body_under_the_key_is_refused(world: World, post: Operation) -> None:
    await world.fill(post)
    first = await world.send(post)
    done = await world.dump()

    other = await world.send(post, content=other_content(post))

    assert refused(other) == (422, "idempotency_key_reused")
    assert await world.dump() == done
    assert told(await world.send(post)) == told(first)


async def test_another_path_under_the_key_is_refused(client: Client) -> None:
    search = samples.search((await client.user())["id"])
    await client.post("/saved-searches/", json=search, headers=KEY)

    other = await client.post("/users/", json=samples.user(), headers=KEY)

    assert refused(other) == (422, "idempotency_key_reused")


async def test_another_query_under_the_key_is_refused(client: Client) -> None:
    match = samples.match((await client.user())["id"], (await client.job())["id"])
    await client.post("/job-matches/", json=match, headers=KEY)

    other = await client.post("/job-matches/?on_conflict=replace", json=match, headers=KEY)

    assert refused(other) == (422, "idempotency_key_reused")


async def test_another_key_is_another_request(client: Client) -> None:
    search = samples.search((await client.user())["id"])

    first = await client.post("/saved-searches/", json=search, headers={"Idempotency-Key": "a"})
    other = await client.post("/saved-searches/", json=search, headers={"Idempotency-Key": "A"})

    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


async def test_an_upsert_that_replaced_is_answered_with_200_again(client: Client, mongo: Mongo) -> None:
    made = await client.match()
    match = samples.match(made["user_id"], made["job_id"], relevancy_score=0.9)

    answers = [await client.post("/job-matches/", json=match, headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert told(answers[0]) == told(answers[1])
    stored = await mongo["job_matches"].find_one({"_id": ObjectId(made["id"])})
    assert stored and stored["revision"] == 2


@each_post
async def test_the_first_answer_stands_whatever_became_of_the_document(world: World, post: Operation) -> None:
    await world.fill(post)
    first = await world.send(post)
    for spec in TABLE:
        await world.mongo[spec.name].delete_many({})

    again = await world.send(post)

    assert told(again) == told(first)
    assert not any((await world.dump()).values())


async def test_the_first_answer_stands_when_the_document_has_changed(client: Client) -> None:
    body = samples.job()
    first = await client.post("/jobs/", json=body, headers=KEY)
    await client.patch(first.headers["location"], json={"title": "B"})

    again = await client.post("/jobs/", json=body, headers=KEY)

    assert told(again) == told(first)
    assert (await client.get(again.headers["location"])).json()["title"] == "B"


async def test_an_invalid_request_uses_up_no_key(client: Client) -> None:
    refusal = await client.post("/jobs/", json=samples.job(title=""), headers=KEY)
    mended = await client.post("/jobs/", json=samples.job(), headers=KEY)

    assert (refusal.status_code, mended.status_code) == (422, 201)


async def test_a_request_without_its_parent_uses_up_no_key(world: World) -> None:
    post = next(post for post in POSTS if post.path == "/job-matches/")
    await world.mongo[USERS.name].insert_one(document(USERS, SCHEMAS["User"]))

    refusal = await world.send(post)
    noted = await world.answers()
    await world.mongo[JOBS.name].insert_one(document(JOBS, SCHEMAS["Job"]))
    again = await world.send(post)

    assert refused(refusal) == (404, "not_found")
    assert (noted, again.status_code) == (0, 201)
    assert "idempotent-replayed" not in again.headers


async def test_a_request_whose_unique_key_is_taken_leaves_nothing_and_uses_up_no_key(
    client: Client, mongo: Mongo
) -> None:
    holder = await client.user()
    body = samples.user(email=holder["email"])

    refusal = await client.post("/users/", json=body, headers=KEY)
    noted = await mongo[ANSWERS.name].count_documents({})
    stats = await mongo["user_stats"].count_documents({})
    await client.delete(f"/users/{holder['id']}")
    again = await client.post("/users/", json=body, headers=KEY)

    assert refused(refusal) == (409, "key_taken")
    assert (noted, stats) == (0, 1)
    assert again.status_code == 201
    assert await users_without_stats(mongo) == []


async def test_keys_that_race_for_one_address_let_one_have_it(client: Client, mongo: Mongo) -> None:
    body = samples.user()

    answers = await asyncio.gather(
        *(client.post("/users/", json=body, headers={"Idempotency-Key": str(n)}) for n in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {refused(answer) for answer in answers if answer.status_code == 409} == {(409, "key_taken")}
    assert await users_without_stats(mongo) == []
    assert await mongo["user_stats"].count_documents({}) == 1


async def test_keys_that_race_for_one_match_all_get_their_turn(client: Client, mongo: Mongo) -> None:
    match = samples.match((await client.user())["id"], (await client.job())["id"])

    answers = await asyncio.gather(
        *(client.post("/job-matches/", json=match, headers={"Idempotency-Key": str(n)}) for n in range(20))
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    (stored,) = await mongo["job_matches"].find({}).to_list(None)
    assert stored["revision"] == 20


UNFIT = {
    "empty": b"",
    "too long": b"k" * 256,
    "a space": b"a b",
    "a tab": b"a\tb",
    "UTF-8": "é".encode(),
    "Latin-1": "é".encode("latin-1"),
    "a control character": b"a\x7f",
}


@each_post
@pytest.mark.parametrize("sent", UNFIT.values(), ids=UNFIT)
async def test_a_key_that_is_none_is_refused(world: World, post: Operation, sent: bytes) -> None:
    await world.fill(post)
    before = await world.dump()

    answer = await world.send(post, headers={"Idempotency-Key": sent})

    assert refused(answer) == (400, "invalid_idempotency_key")
    assert await world.dump() == before


async def test_two_keys_are_refused(client: Client) -> None:
    two = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

    answer = await client.post("/jobs/", json=samples.job(), headers=two)

    assert refused(answer) == (400, "invalid_idempotency_key")


@pytest.mark.parametrize(
    "sent",
    ["k", "k" * 255, '"8e03978e-40d5"', "".join(map(chr, range(0x21, 0x7F)))],
    ids=["short", "long", "quoted", "every character"],
)
async def test_a_key_of_visible_characters_is_taken(client: Client, sent: str) -> None:
    body = samples.job()

    answers = [await client.post("/jobs/", json=body, headers={"Idempotency-Key": sent}) for _ in range(2)]

    assert told(answers[0]) == told(answers[1])
    assert answers[0].status_code == 201


@pytest.mark.parametrize("key", ["k", ""])
async def test_what_is_no_post_takes_no_notice_of_a_key(client: Client, mongo: Mongo, key: str) -> None:
    path = f"/jobs/{(await client.job())['id']}"
    headers = {"Idempotency-Key": key}

    statuses = [
        (await client.get(path, headers=headers)).status_code,
        (await client.patch(path, json={"title": "B"}, headers=headers)).status_code,
        (await client.put(path, json={"title": "C"}, headers=headers)).status_code,
        (await client.delete(path, headers=headers)).status_code,
        (await client.delete(path, headers=headers)).status_code,
    ]

    assert statuses == [200, 200, 200, 204, 404]
    assert await mongo[ANSWERS.name].count_documents({}) == 0
