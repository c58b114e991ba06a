"""The database away, stalled or killed: an answer within the deadline, and recovery without a restart.

Time is measured here because the deadline is the contract; the margin on it is wide, for a busy machine.
"""

import asyncio
import json
import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager
from bson import ObjectId
from fastapi import FastAPI
from pymongo import MongoClient

from backend import mongod
from backend.app.config import Settings
from backend.app.db.mongo import SECONDS_TO_END, Mongo
from backend.app.main import create_app
from backend.mongod import Server
from backend.tests import samples
from backend.tests.client import Client
from backend.tests.consistency import orphans, users_without_stats
from backend.tests.processes import AppProcess, app_process
from backend.tests.refusals import MEMBERS
from backend.tests.routes import OPERATIONS, Operation


def has_mongod() -> bool:
    try:
        mongod.find_mongod()
    except mongod.MongodUnavailable:
        return False
    return True


pytestmark = pytest.mark.skipif(not has_mongod(), reason="There is no mongod here to stall and to kill")

DEADLINE = 1.0
MARGIN = 1.5
# MongoDB gives a dead transaction up after ten seconds, and looks for such every five.
RECOVERY = 25.0
INSIDES = ("pymongo", "mongodb", "127.0.0.1", "localhost", "timeoutms", "traceback")
DATABASE = "aijobhunt_deadlines"
NEEDS_THE_DATABASE = [one for one in OPERATIONS if one.route.path not in ("/livez", "/readyz", "/health")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mongod")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    """A server of this module's own, to be stalled."""
    with mongod.running(home, cache_gb=0.25) as server:
        yield server


def settings_for(uri: str) -> Settings:
    return Settings().model_copy(
        update={
            "mongodb_uri": uri,
            "request_deadline": DEADLINE,
            "bulk_deadline": DEADLINE,
            "prod_db": DATABASE,
        }
    )


@asynccontextmanager
async def running_app(uri: str) -> AsyncIterator[tuple[FastAPI, Client]]:
    """The app in this process, ready or not."""
    app = create_app(settings_for(uri))
    async with (
        LifespanManager(app),
        Client(transport=httpx.ASGITransport(app), base_url="http://test", timeout=30) as client,
    ):
        yield app, client


@pytest.fixture
async def impatient(server: Server) -> AsyncIterator[tuple[FastAPI, Client]]:
    """An app whose requests may take a second, ready to answer."""
    async with running_app(server.uri) as (app, client):
        await ready(app)
        yield app, client


async def ready(app: FastAPI) -> None:
    async with asyncio.timeout(RECOVERY):
        await app.state.ready.wait()


@contextmanager
def stalled(server: Server) -> Iterator[None]:
    """The server neither answers nor goes: connections stand, and nothing comes back on them."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


async def eventually(fact: Callable[[], Awaitable[bool]], seconds: float = RECOVERY) -> None:
    async with asyncio.timeout(seconds):
        while not await fact():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)


async def works(client: Client) -> bool:
    """Whether a user can be made: the longest way through the app and the database."""
    return (await client.post("/users/", json=samples.user())).status_code == 201


async def timed(request: Awaitable[httpx.Response]) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    return await request, time.monotonic() - began


def ask(client: Client, operation: Operation) -> Awaitable[httpx.Response]:
    headers = {"Content-Type": "application/json"} if operation.content else {}
    return client.request(operation.method, operation.path, content=operation.content, headers=headers)


def wrong(answer: httpx.Response, seconds: float) -> str | None:
    """What is wrong with the answer of an app without a database, if anything is."""
    if answer.status_code not in (503, 504):
        return f"{answer.status_code} {answer.text[:200]}"
    if seconds > DEADLINE + MARGIN:
        return f"after {seconds:.1f} s"
    if answer.headers["content-type"] != "application/problem+json" or set(answer.json()) != MEMBERS:
        return answer.text[:200]
    if answer.status_code == 503 and not answer.headers["retry-after"].isdecimal():
        return "no Retry-After"
    told = [word for word in INSIDES if word in answer.text.lower()]
    return f"tells {told}" if told else None


async def wrongs(client: Client, operations: list[Operation]) -> dict[str, str]:
    """What is wrong with the answers when everything is asked at once."""
    answers = await asyncio.gather(*(timed(ask(client, operation)) for operation in operations))
    found = zip(operations, (wrong(*answer) for answer in answers), strict=True)
    return {str(operation): fault for operation, fault in found if fault}


async def assert_alive_and_unwell(client: Client) -> None:
    (alive, seconds), health, readiness, (page, seconds_for_page) = await asyncio.gather(
        timed(client.get("/livez")), client.get("/health"), client.get("/readyz"), timed(client.get("/"))
    )
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert seconds < DEADLINE + MARGIN
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert health.json()["mongodb"]["connected"] is False
    assert health.json()["mongodb"]["message"]
    assert (readiness.status_code, readiness.json()) == (503, {"status": "not ready"})
    assert page.status_code == 200 and "The database is away" in page.text
    assert seconds_for_page < DEADLINE + MARGIN
    assert health.headers["retry-after"] and readiness.headers["retry-after"]


async def test_the_app_starts_without_a_database_and_works_once_there_is_one(tmp_path: Path) -> None:
    with mongod.running(tmp_path, cache_gb=0.25) as server:
        uri = server.uri

    async with running_app(uri) as (app, client):
        await assert_alive_and_unwell(client)
        assert await wrongs(client, NEEDS_THE_DATABASE) == {}

        # On the port it had before.
        with mongod.running(tmp_path, cache_gb=0.25) as server:
            assert server.uri == uri
            await ready(app)
            assert await works(client)
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.get("/health")).json()["status"] == "healthy"
            indexes = await app.state.mongo["users"].index_information()
            assert indexes["email_1"]["unique"]


async def test_a_database_that_does_not_let_the_app_in_is_answered_for(server: Server) -> None:
    stranger = server.uri.replace("mongodb://", "mongodb://nobody:wrong@")

    async with running_app(stranger) as (app, client):
        await assert_alive_and_unwell(client)
        refused = await client.get("/jobs/")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert not app.state.ready.is_set()


async def test_a_database_that_stalls_is_answered_for_and_then_used_again(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    _, client = impatient
    with stalled(server):
        await assert_alive_and_unwell(client)
        assert await wrongs(client, NEEDS_THE_DATABASE) == {}
        # And again, now that the driver has noticed.
        assert await wrongs(client, NEEDS_THE_DATABASE) == {}

    await eventually(lambda: works(client))
    assert (await client.get("/readyz")).status_code == 200


async def test_a_hundred_requests_during_a_stall_are_all_answered_in_time(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    _, client = impatient
    many = [NEEDS_THE_DATABASE[number % len(NEEDS_THE_DATABASE)] for number in range(120)]
    await asyncio.gather(*(client.get("/jobs/") for _ in range(30)))

    with stalled(server):
        assert await wrongs(client, many) == {}

    await eventually(lambda: works(client))


async def test_requests_that_keep_coming_during_a_stall_are_all_answered_in_time(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    _, client = impatient

    async def later(number: int) -> str | None:
        await asyncio.sleep(number * 0.02)
        return wrong(*await timed(ask(client, NEEDS_THE_DATABASE[number % len(NEEDS_THE_DATABASE)])))

    with stalled(server):
        found = await asyncio.gather(*(later(number) for number in range(150)))

    assert set(found) == {None}
    await eventually(lambda: works(client))


async def test_a_server_that_was_killed_and_started_again_is_used_again(tmp_path: Path) -> None:
    with mongod.running(tmp_path, cache_gb=0.25) as first:
        async with running_app(first.uri) as (app, client):
            await ready(app)
            kept = await client.user()
            os.kill(first.pid, signal.SIGKILL)
            await eventually(lambda: unwell(client))
            assert await wrongs(client, NEEDS_THE_DATABASE) == {}

            with mongod.running(tmp_path, cache_gb=0.25) as second:
                assert second.uri == first.uri
                await eventually(lambda: works(client))
                assert (await client.get(f"/users/{kept['id']}")).json() == kept


async def unwell(client: Client) -> bool:
    return (await client.get("/health")).status_code == 503


@pytest.mark.parametrize("after", [0.01, 0.05, 0.1])
async def test_a_stall_inside_a_transaction_leaves_all_or_nothing(
    server: Server, impatient: tuple[FastAPI, Client], after: float
) -> None:
    app, client = impatient
    mongo: Mongo = app.state.mongo
    doomed = [(await client.search())["user_id"] for _ in range(8)]
    await asyncio.gather(*(client.interaction(user_id=user) for user in doomed))
    fresh = [samples.user() for _ in range(8)]

    requests = [
        *(asyncio.create_task(client.post("/users/", json=body)) for body in fresh),
        *(asyncio.create_task(client.delete(f"/users/{user}")) for user in doomed),
    ]
    # Where in the transactions the stall comes is left to chance.
    await asyncio.sleep(after * random.random())
    with stalled(server):
        answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} <= {201, 204, 503, 504}

    await eventually(lambda: works(client))
    # What has not been answered is decided as soon as it can be changed.
    for user in doomed:
        await eventually(lambda user=user: settled(client, user))  # type: ignore[misc]
    for body, answer in zip(fresh, answers[:8], strict=True):
        made = await mongo["users"].find_one({"email": body["email"]})
        assert made is not None or answer.status_code != 201
    for user, answer in zip(doomed, answers[8:], strict=True):
        left = await children(mongo, user)
        assert left in ([1, 1, 1, 1], [0, 0, 0, 0])
        assert left == [0, 0, 0, 0] or answer.status_code != 204
    assert await users_without_stats(mongo) == []
    assert await orphans(mongo) == []


async def test_what_was_cut_off_by_a_stall_can_be_tried_again_at_once(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    _, client = impatient
    fresh = [samples.user() for _ in range(8)]
    known = [(await client.search())["user_id"] for _ in range(8)]
    # With connections at hand the first command of each is on its way, and is run when the stall is over.
    await asyncio.gather(*(works(client) for _ in range(30)))

    with stalled(server):
        await asyncio.gather(
            *(client.post("/users/", json=body) for body in fresh),
            *(client.delete(f"/users/{user}") for user in known[:4]),
            *(client.patch(f"/users/{user}", json={"name": "B"}) for user in known[4:]),
        )
    await eventually(lambda: works(client))

    # Long before the server would by itself give up a transaction that nobody goes on with.
    for body in fresh:
        await eventually(lambda body=body: made(client, body), 5)  # type: ignore[misc]
    for user in known:
        await eventually(lambda user=user: gone(client, user), 5)  # type: ignore[misc]


async def test_what_was_cut_off_by_a_stall_is_done_once_under_its_key(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    app, client = impatient
    search = samples.search((await client.user())["id"])
    keys = [{"Idempotency-Key": str(ObjectId())} for _ in range(16)]
    await asyncio.gather(*(works(client) for _ in range(30)))

    with stalled(server):
        # So long that what was begun cannot be aborted any more either.
        end = time.monotonic() + DEADLINE + SECONDS_TO_END + MARGIN
        while time.monotonic() < end:
            answers = await asyncio.gather(
                *(timed(client.post("/saved-searches/", json=search, headers=key)) for key in keys)
            )
            assert {wrong(*answer) for answer in answers} == {None}
    await eventually(lambda: works(client))

    async def saved(key: dict[str, str]) -> bool:
        return (await client.post("/saved-searches/", json=search, headers=key)).status_code == 201

    for key in keys:
        # At once, but for a claim that was under way when the stall began: until MongoDB gives it up.
        await eventually(lambda key=key: saved(key), RECOVERY)  # type: ignore[misc]
    mongo: Mongo = app.state.mongo
    mine = {"user_id": ObjectId(search["user_id"])}
    assert await mongo["saved_searches"].count_documents(mine) == len(keys)


WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"as_lines": True},
    {"atomic": True},
    {"atomic": True, "key": "stall"},
    {"dry_run": True},
)


async def test_bulk_calls_during_a_stall_are_answered_in_time_and_done_when_sent_again(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    app, client = impatient
    mongo: Mongo = app.state.mongo
    user, jobs = (await client.user())["id"], [(await client.job())["id"] for _ in range(40)]
    run = (await client.run(source_platform=str(ObjectId())))["id"]
    postings = [samples.job(external_id=str(ObjectId())) for _ in range(40)]
    sent: list[Callable[[], Awaitable[httpx.Response]]] = [
        partial(client.bulk, path, items, **{**way, **({"key": way["key"] + path} if "key" in way else {})})
        for way in WAYS
        for path, items in (
            ("/jobs/", postings),
            ("/job-matches/", [samples.match(user, job) for job in jobs]),
            ("/interactions/", [samples.interaction(user, job) for job in jobs]),
        )
    ]
    sent.append(partial(client.bulk, "/jobs/", postings[:1], run_id=run))
    under_way = [asyncio.create_task(timed(send())) for send in sent]
    await asyncio.sleep(0.02)

    with stalled(server):
        before = await asyncio.gather(*under_way)
        during = await asyncio.gather(*(timed(send()) for send in sent))
    await eventually(lambda: works(client))

    assert [found for found in before if found[0].status_code != 200 and wrong(*found)] == []
    assert {wrong(*found) for found in during if found[0].status_code != 409} == {None}

    async def done(send: Callable[[], Awaitable[httpx.Response]]) -> bool:
        return (await send()).status_code == 200

    for send in sent:
        await eventually(lambda send=send: done(send))  # type: ignore[misc]
    names = {"external_id": {"$in": [posting["external_id"] for posting in postings]}}
    assert await mongo["jobs"].count_documents(names) == 40
    assert await mongo["job_matches"].count_documents({"user_id": ObjectId(user)}) == 40
    stats = (await client.get(f"/users/{user}/stats")).json()
    assert stats["jobs_viewed"] == 40


async def made(client: Client, body: dict[str, Any]) -> bool:
    return (await client.post("/users/", json=body)).status_code in (201, 409)


async def gone(client: Client, user: str) -> bool:
    return (await client.delete(f"/users/{user}")).status_code in (204, 404)


async def settled(client: Client, user: str) -> bool:
    return (await client.patch(f"/users/{user}/stats", json={"jobs_viewed": 1})).status_code in (200, 404)


async def children(mongo: Mongo, user: str) -> list[int]:
    return [
        await mongo["users"].count_documents({"_id": ObjectId(user)}),
        *[
            await mongo[name].count_documents({"user_id": ObjectId(user)})
            for name in ("user_stats", "saved_searches", "user_job_interactions")
        ],
    ]


async def test_a_document_that_somebody_holds_is_answered_for_in_time(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    _, client = impatient
    user = (await client.user())["id"]

    with held(server, user):
        answers = await asyncio.gather(
            *(timed(client.patch(f"/users/{user}", json={"name": f"N{number}"})) for number in range(30)),
            *(timed(client.delete(f"/users/{user}")) for _ in range(5)),
        )
        others = await asyncio.gather(*(timed(client.get(f"/users/{user}")) for _ in range(30)))

    assert {wrong(*answer) for answer in answers} == {None}
    assert {(answer.status_code, seconds < DEADLINE + MARGIN) for answer, seconds in others} == {(200, True)}
    assert (await client.patch(f"/users/{user}", json={"name": "N"})).status_code == 200


async def test_a_document_that_somebody_holds_keeps_no_other_write_waiting(
    server: Server, impatient: tuple[FastAPI, Client]
) -> None:
    _, client = impatient
    user, other = (await client.user())["id"], (await client.user())["id"]

    with held(server, user):
        waiting = [
            asyncio.create_task(client.patch(f"/users/{user}", json={"name": f"N{number}"}))
            for number in range(30)
        ]
        answers = await asyncio.gather(
            *(
                client.patch(f"/users/{other}", json={"credentials": {f"a{number}": 1}})
                for number in range(20)
            ),
            *(client.post("/jobs/", json=samples.job()) for _ in range(20)),
            *(client.post("/users/", json=samples.user()) for _ in range(10)),
            client.delete(f"/users/{other}"),
        )
        refused = await asyncio.gather(*waiting)

    assert {answer.status_code for answer in answers} <= {200, 201, 204, 404}
    assert {answer.status_code for answer in refused} <= {503, 504}


@contextmanager
def held(server: Server, user: str) -> Iterator[None]:
    """Somebody else has changed the user and not committed."""
    with MongoClient[dict[str, Any]](server.uri) as other, other.start_session() as session:
        session.start_transaction()
        other[DATABASE]["users"].update_one({"_id": ObjectId(user)}, {"$set": {"held": 1}}, session=session)
        try:
            yield
        finally:
            session.abort_transaction()


def environment(server: Server, **changes: str) -> dict[str, str]:
    return {"MONGODB_URI": server.uri, "PROD_DB": DATABASE, "REQUEST_DEADLINE": str(DEADLINE), **changes}


@contextmanager
def connected(app: AppProcess) -> Iterator[socket.socket]:
    host, _, port = app.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=RECOVERY) as connection:
        yield connection


def head(length: int) -> bytes:
    about = ("Host: x", "Content-Type: application/json", f"Content-Length: {length}")
    return "\r\n".join(("POST /users/ HTTP/1.1", *about, "", "")).encode()


def answer_on(connection: socket.socket) -> bytes:
    """An answer whose body is a JSON object, however many pieces it comes in."""
    answer = connection.recv(65536)
    connection.settimeout(RECOVERY)
    while answer and not answer.endswith(b"}") and (more := connection.recv(65536)):
        answer += more
    return answer


async def test_a_body_that_does_not_end_is_given_up_at_the_deadline(
    impatient: tuple[FastAPI, Client],
) -> None:
    _, client = impatient

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    headers = {"Content-Type": "application/json"}
    answer, seconds = await timed(client.post("/users/", content=endless(), headers=headers))

    assert (answer.status_code, answer.json()["code"]) == (408, "slow_body")
    assert seconds < DEADLINE + MARGIN


@pytest.fixture(scope="module")
def impatient_process(server: Server) -> Iterator[AppProcess]:
    with app_process(environment(server)) as app:
        app.await_answer()
        yield app


def test_a_body_that_trickles_in_is_given_up_at_the_deadline(impatient_process: AppProcess) -> None:
    began = time.monotonic()
    with connected(impatient_process) as connection:
        connection.sendall(head(1000))
        connection.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() < began + RECOVERY:
            connection.sendall(b" ")
            try:
                answer = answer_on(connection)
            except TimeoutError:
                continue

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert b'"code":"slow_body"' in answer
    assert time.monotonic() - began < DEADLINE + MARGIN


def test_many_slow_bodies_keep_nobody_else_waiting(impatient_process: AppProcess) -> None:
    connections = [socket.create_connection(("127.0.0.1", port_of(impatient_process))) for _ in range(100)]
    try:
        for connection in connections:
            connection.sendall(head(1000) + b"{")
        began = time.monotonic()
        answer = httpx.get(f"{impatient_process.url}/jobs/")
        assert answer.status_code == 200
        assert time.monotonic() - began < DEADLINE
        for connection in connections:
            connection.settimeout(RECOVERY)
            assert answer_on(connection).startswith(b"HTTP/1.1 408 ")
    finally:
        for connection in connections:
            connection.close()


def port_of(app: AppProcess) -> int:
    return int(app.url.rpartition(":")[2])


@pytest.fixture
def ending(server: Server) -> Iterator[AppProcess]:
    with app_process(environment(server, REQUEST_DEADLINE="5")) as app:
        app.await_answer()
        yield app


def refuses(app: AppProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port_of(app)), timeout=1).close()
    except OSError:
        return True
    return False


def await_refusal(app: AppProcess) -> None:
    end = time.monotonic() + RECOVERY
    while not refuses(app):
        assert time.monotonic() < end, "It still takes connections"
        time.sleep(0.02)


def test_a_request_whose_body_is_on_its_way_is_answered_after_sigterm(ending: AppProcess) -> None:
    body = json.dumps(samples.user()).encode()
    with connected(ending) as connection:
        connection.sendall(head(len(body)) + body[:10])
        # Taken in before anything that comes later.
        assert httpx.get(f"{ending.url}/livez").status_code == 200

        ending.process.send_signal(signal.SIGTERM)
        await_refusal(ending)
        connection.sendall(body[10:])

        assert answer_on(connection).startswith(b"HTTP/1.1 201 ")
    assert ending.process.wait(RECOVERY) == 0, ending.logged()


def test_a_request_that_waits_for_the_database_is_answered_after_sigterm(
    server: Server, ending: AppProcess
) -> None:
    user = httpx.post(f"{ending.url}/users/", json=samples.user()).json()["id"]
    with ThreadPoolExecutor(1) as pool:
        with held(server, user):
            name = {"name": "B"}
            patch = pool.submit(httpx.patch, f"{ending.url}/users/{user}", json=name, timeout=RECOVERY)
            await_waiting(server)
            ending.process.send_signal(signal.SIGTERM)
            await_refusal(ending)
            assert not patch.done()
        assert patch.result().status_code == 200
    assert ending.process.wait(RECOVERY) == 0, ending.logged()


def await_waiting(server: Server) -> None:
    """Until a change of a user is under way in the server, and does not get on."""
    changing = {"command.findAndModify": "users", "command.$db": DATABASE}
    with MongoClient[dict[str, Any]](server.uri) as other:
        end = time.monotonic() + RECOVERY
        while not list(other.admin.aggregate([{"$currentOp": {}}, {"$match": changing}])):
            assert time.monotonic() < end, "No change arrived"
            time.sleep(0.02)


@pytest.mark.parametrize("while_stalled", ["it starts", "it works"])
def test_sigterm_ends_the_app_although_the_database_has_stalled(server: Server, while_stalled: str) -> None:
    with ExitStack() as stack:
        if while_stalled == "it starts":
            stack.enter_context(stalled(server))
        app = stack.enter_context(app_process(environment(server)))
        app.await_answer("/livez" if while_stalled == "it starts" else "/readyz")
        if while_stalled == "it works":
            stack.enter_context(stalled(server))
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(status_of, f"{app.url}/jobs/") for _ in range(20)]
            wait(asked, return_when=FIRST_COMPLETED)
            app.process.send_signal(signal.SIGTERM)
            assert {one.result() for one in asked} <= {503, 504, None}
        assert app.process.wait(RECOVERY) == 0, app.logged()


def status_of(url: str) -> int | None:
    """Nothing when it came too late to be taken in."""
    try:
        return httpx.get(url, timeout=RECOVERY).status_code
    except httpx.ConnectError:
        return None


@pytest.fixture
def exporting(server: Server) -> Iterator[AppProcess]:
    """An app with more to export than any buffer on the way holds."""
    with MongoClient[dict[str, Any]](server.uri) as other:
        postings = [
            samples.job(external_id=str(ObjectId()), description="x" * 10_000, is_active=True)
            for _ in range(4000)
        ]
        other[DATABASE]["jobs"].insert_many(postings)
    with app_process(environment(server, BULK_DEADLINE=str(DEADLINE))) as app:
        app.await_answer()
        yield app
    with MongoClient[dict[str, Any]](server.uri) as other:
        other[DATABASE]["jobs"].delete_many({})


def test_an_export_during_which_the_database_stalls_does_not_look_whole(
    server: Server, exporting: AppProcess
) -> None:
    with httpx.stream("GET", f"{exporting.url}/jobs/export", timeout=RECOVERY) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw()
        next(pieces)
        with stalled(server), pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            for _ in pieces:
                pass

    assert "Cut off: overdue" in exporting.logged()


def test_an_export_that_nobody_reads_is_cut_off_at_the_deadline(exporting: AppProcess) -> None:
    with connected(exporting) as connection:
        connection.sendall(b"GET /jobs/export HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + RECOVERY
        while "Cut off: slow_reader" not in exporting.logged():
            assert time.monotonic() < end, exporting.logged()
            time.sleep(0.05)
        received = b""
        while more := connection.recv(65536):
            received += more

    assert received.startswith(b"HTTP/1.1 200 ")
    assert not received.endswith(b"0\r\n\r\n")
