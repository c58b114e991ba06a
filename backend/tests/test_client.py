"""The client: what is sent, how often, and what comes of it when the server or the way to it fails."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.app.db.mongo import Mongo
from backend.client import (
    ApiProblem,
    AsyncClient,
    Client,
    ClientFailure,
    NoAnswer,
    Refused,
    Retry,
    Summary,
    UnexpectedAnswer,
)
from backend.client.blocking import LoopRunning
from backend.client.failures import Fault, seconds
from backend.tests import samples
from backend.tests.stand_in import StandIn, Trouble, standing_in

DROPPED = Trouble(dropped=True)
LOST = Trouble(dropped=True, done_before=True)
BUSY = Trouble(status=503, code="unavailable")


@dataclass
class Waits:
    """Stands for time: remembers what was waited for, and waits for nothing."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        yield server


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(server: StandIn, waits: Waits) -> Iterator[Client]:
    with Client(server.url, retry=Retry(attempts=5, sleep=waits, chance=lambda: 1.0)) as client:
        yield client


def jobs(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [{"external_id": f"job-{number}", "title": "Engineer", **changes} for number in range(count)]


# What is sent


def test_each_item_has_its_outcome_in_the_order_of_the_items(client: Client) -> None:
    client.jobs.ingest([{"external_id": "job-1", "title": "Old"}, *jobs(1)]).finish()
    items: list[Any] = [*jobs(2), {"external_id": "job-9"}]

    ingestion = client.jobs.ingest(items, chunk=2)
    outcomes = list(ingestion)

    assert [outcome.status for outcome in outcomes] == ["unchanged", "updated", "rejected"]
    assert [outcome.index for outcome in outcomes] == [0, 1, 2]
    assert [outcome.key["external_id"] for outcome in outcomes] == ["job-0", "job-1", "job-9"]
    assert outcomes[2].item is items[2]
    assert outcomes[2].errors == (Fault("/title", "This field is required", "missing"),)
    assert ingestion.summary == Summary(updated=1, unchanged=1, rejected=1)


def test_items_are_cut_into_chunks_by_number_and_by_size(client: Client, server: StandIn) -> None:
    client.jobs.ingest(jobs(25), chunk=10).finish()
    assert [len(call.body) for call in server.bulk] == [10, 10, 5]
    server.received.clear()

    large = "x" * 1_500_000
    client.jobs.ingest(jobs(4, title=large)).finish()
    assert [len(call.body) for call in server.bulk] == [2, 2]


def test_items_are_taken_as_they_are_needed(client: Client) -> None:
    taken = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal taken
        while True:
            taken += 1
            yield {"external_id": f"job-{taken}", "title": "Engineer"}

    outcomes = client.jobs.ingest(endless(), chunk=10).batches()
    for _ in range(3):
        next(outcomes)

    assert taken < 70


def test_options_are_said_in_the_query(client: Client, server: StandIn) -> None:
    client.jobs.ingest(jobs(1), "f" * 24, mode="merge", dry_run=True).finish()

    (call,) = server.bulk
    assert call.query == {"mode": "merge", "dry_run": "true", "run_id": "f" * 24, "report": "all"}
    assert call.headers["content-type"] == "application/json"
    assert server.stored == {}


def test_matches_and_interactions_have_their_own_keys(client: Client) -> None:
    pair = {"user_id": "a" * 24, "job_id": "b" * 24}

    (match,) = client.matches.ingest([{**pair, "relevancy_score": 0.5}])
    (viewed,) = client.interactions.ingest([{**pair, "interaction_type": "viewed"}])

    assert match.key == pair
    assert viewed.key == {**pair, "interaction_type": "viewed"}


def test_an_api_key_is_sent_with_each_request(server: StandIn) -> None:
    with Client(server.url, api_key="s3cret") as client:
        client.jobs.ingest(jobs(1)).finish()
    assert server.bulk[0].headers["authorization"] == "Bearer s3cret"


def test_the_address_comes_from_the_environment_and_never_shows_a_password(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIJOBHUNT_URL", server.url.replace("//", "//ada:s3cret@"))
    with Client() as client:
        assert client.jobs.ingest(jobs(1)).finish().created == 1
        assert client.url == server.url
    monkeypatch.delenv("AIJOBHUNT_URL")
    with Client() as client:
        assert client.url == "http://127.0.0.1:8000"


# One bad item


def test_an_item_that_is_known_to_be_bad_is_not_sent_but_keeps_its_place(
    client: Client, server: StandIn
) -> None:
    fault = Fault("/salary_range/min", "Not an amount", "unreadable")

    items: list[Any] = [
        *jobs(1),
        Refused({"a": 1}, (fault,)),
        {"external_id": "set", "title": {1, 2}},
        *jobs(1),
    ]
    outcomes = list(client.jobs.ingest(items))

    assert [outcome.status for outcome in outcomes] == ["created", "rejected", "rejected", "unchanged"]
    assert [outcome.sent for outcome in outcomes] == [True, False, False, True]
    assert outcomes[1].errors == (fault,)
    assert outcomes[2].errors[0].code == "not_json"
    assert len(server.bulk[0].body) == 2


def test_an_item_that_spoils_its_whole_call_is_found_and_the_others_are_stored(
    client: Client, server: StandIn
) -> None:
    items: list[Any] = jobs(20)
    items[13]["unfit"] = True

    outcomes = list(client.jobs.ingest(items))

    assert [outcome.index for outcome in outcomes if outcome.status == "rejected"] == [13]
    assert outcomes[13].errors == (Fault("", "It is malformed_body", "malformed_body"),)
    assert [outcome.index for outcome in outcomes if not outcome.sent] == [13]
    assert len(server.stored) == 19
    keys = [call.key for call in server.bulk]
    assert len(set(keys)) == len(keys)


# When it fails


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        Trouble(status=429, code="too_many_requests"),
        Trouble(status=504, code="overdue"),
        Trouble(status=502),
        Trouble(status=408, code="slow_body"),
        Trouble(status=409, code="in_progress"),
        DROPPED,
        LOST,
    ],
    ids=lambda trouble: trouble.code or str(trouble.status or "dropped"),
)
def test_what_passes_is_tried_again_under_the_same_key_and_has_one_effect(
    trouble: Trouble, client: Client, server: StandIn
) -> None:
    server.trouble(trouble, trouble)

    summary = client.jobs.ingest(jobs(3)).finish()

    assert summary == Summary(created=3)
    assert len(server.bulk) == 3
    assert len({call.key for call in server.bulk}) == 1
    assert all(call.body == server.bulk[0].body for call in server.bulk)
    assert set(server.effects.values()) == {1}


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(server: StandIn, waits: Waits) -> None:
    server.trouble(Trouble(held=True))
    timeout = httpx.Timeout(30, read=0.2)

    with Client(server.url, timeout=timeout, retry=Retry(sleep=waits)) as client:
        assert client.jobs.ingest(jobs(3)).finish() == Summary(created=3)

    assert waits.seconds
    assert set(server.effects.values()) == {1}


@pytest.mark.parametrize(
    ("status", "code"), [(401, "unauthorized"), (409, "run_not_open"), (422, "invalid"), (500, "internal")]
)
def test_what_does_not_pass_is_told_at_once(status: int, code: str, client: Client, server: StandIn) -> None:
    server.trouble(Trouble(status=status, code=code))

    with pytest.raises(ApiProblem) as raised:
        client.jobs.ingest(jobs(3)).finish()

    problem = raised.value
    assert (problem.status, problem.code, problem.detail) == (status, code, f"It is {code}")
    assert problem.request_id == "abc123"
    assert len(server.bulk) == 1


def test_waits_double_up_to_the_longest(server: StandIn, waits: Waits) -> None:
    server.trouble(*[BUSY] * 5)
    retry = Retry(attempts=6, first=1, longest=5, sleep=waits, chance=lambda: 1.0)

    with Client(server.url, retry=retry) as client:
        client.jobs.ingest(jobs(1)).finish()

    assert waits.seconds == [1, 2, 4, 5, 5]


def test_half_of_a_wait_is_left_to_chance(server: StandIn, waits: Waits) -> None:
    server.trouble(BUSY, BUSY)
    chances = iter([0.0, 0.5])
    with Client(server.url, retry=Retry(first=1, sleep=waits, chance=lambda: next(chances))) as client:
        client.jobs.ingest(jobs(1)).finish()
    assert waits.seconds == [0.5, 1.5]


def test_a_server_is_left_alone_for_as_long_as_it_asks(client: Client, server: StandIn, waits: Waits) -> None:
    server.trouble(Trouble(status=503, code="unavailable", headers={"Retry_After": "7"}))
    client.jobs.ingest(jobs(1)).finish()
    assert waits.seconds == [7]


def test_retry_after_may_be_a_date() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (seconds(in_a_minute) or 0) <= 60
    assert seconds("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert seconds("soon") is None
    assert seconds(None) is None


def test_at_last_it_gives_up_and_says_why(client: Client, server: StandIn, waits: Waits) -> None:
    server.trouble(*[BUSY] * 9)
    with pytest.raises(ApiProblem, match="503 unavailable"):
        client.jobs.ingest(jobs(1)).finish()
    assert len(server.bulk) == 5
    assert len(waits.seconds) == 4


def test_each_wait_is_told_to_who_wants_to_know(server: StandIn, waits: Waits) -> None:
    server.trouble(BUSY)
    told: list[tuple[str, float]] = []
    retry = Retry(
        sleep=waits,
        first=2,
        chance=lambda: 1.0,
        noticed=lambda failure, seconds: told.append((str(failure), seconds)),
    )
    with Client(server.url, retry=retry) as client:
        client.jobs.ingest(jobs(1)).finish()
    assert told == [("503 unavailable: It is unavailable", 2)]


def test_a_failure_keeps_what_was_done_before_it(client: Client, server: StandIn) -> None:
    server.trouble_chunk(1, Trouble(status=500, code="internal"))
    ingestion = client.jobs.ingest(jobs(30), chunk=10)

    with pytest.raises(ApiProblem):
        ingestion.finish()

    assert ingestion.summary == Summary(created=10)


def test_the_same_key_goes_on_with_what_broke_off(client: Client, server: StandIn) -> None:
    server.trouble(None, LOST, Trouble(status=500))
    with pytest.raises(ApiProblem):
        client.jobs.ingest(jobs(30), chunk=10, key="mine", in_flight=1).finish()

    summary = client.jobs.ingest(jobs(30)[10:], chunk=10, key="mine", first_chunk=1).finish()

    assert summary == Summary(created=20)
    assert server.effects == {"mine-0": 1, "mine-1": 1, "mine-2": 1}


def test_nobody_there_is_told_with_the_address(waits: Waits) -> None:
    with (
        Client("http://127.0.0.1:9", retry=Retry(attempts=2, sleep=waits)) as client,
        pytest.raises(NoAnswer, match=r"No answer from http://127\.0\.0\.1:9"),
    ):
        client.jobs.get("a" * 24)
    assert len(waits.seconds) == 1


@pytest.mark.parametrize("trouble", [BUSY, DROPPED], ids=["busy", "dropped"])
def test_a_change_that_may_have_been_made_is_not_made_again(
    trouble: Trouble, client: Client, server: StandIn
) -> None:
    server.trouble(trouble, kind="other")
    with pytest.raises(ClientFailure):
        client.jobs.patch("a" * 24, {"title": "x"})
    assert len(server.received) == 1


def test_a_change_that_was_turned_away_is_made_later(client: Client, server: StandIn) -> None:
    server.trouble(Trouble(status=429), Trouble(status=418), kind="other")
    with pytest.raises(ApiProblem, match="418"):
        client.jobs.patch("a" * 24, {"title": "x"})
    assert len(server.received) == 2


@pytest.mark.parametrize("told", [b"<html>", b'{"items": []}', b"[]", b'{"items": [{"index": 0}]}'])
def test_a_server_that_is_something_else_is_told(told: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=told))
    with Client("http://other", transport=transport) as client, pytest.raises(UnexpectedAnswer):
        client.jobs.ingest(jobs(1)).finish()


def test_a_failure_without_a_problem_document_is_still_an_api_problem() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(403, text="<html>"))
    with Client("http://proxy", transport=transport) as client, pytest.raises(ApiProblem) as raised:
        client.jobs.get("a" * 24)
    assert (raised.value.status, raised.value.code, raised.value.detail) == (403, "", "Forbidden")


# Several at a time


class Turnstile(httpx.AsyncBaseTransport):
    """Answers only when told to, and knows how many wait."""

    def __init__(self) -> None:
        self.waiting: list[tuple[httpx.Request, asyncio.Event]] = []
        self.arrived = asyncio.Condition()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        event = asyncio.Event()
        async with self.arrived:
            self.waiting.append((request, event))
            self.arrived.notify_all()
        await event.wait()
        items = httpx.Response(200, content=request.content).json()
        told = [{"index": 0, "status": "created", "id": None, "errors": [], "said": item} for item in items]
        return httpx.Response(200, json={"items": told})

    async def came(self, count: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.waiting) >= count)

    def release(self, number: int) -> None:
        self.waiting[number][1].set()


@pytest.fixture
async def turnstile() -> Turnstile:
    return Turnstile()


@pytest.fixture
async def behind(turnstile: Turnstile) -> AsyncIterator[AsyncClient]:
    async with AsyncClient("http://test", transport=turnstile) as client:
        yield client


async def gathered(ingestion: Any) -> list[str]:
    return [outcome.item["external_id"] async for outcome in ingestion]


async def settled() -> None:
    """Whatever can go on has done so."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_two_calls_are_on_their_way_and_outcomes_keep_their_order(
    turnstile: Turnstile, behind: AsyncClient
) -> None:
    all_of_them = asyncio.create_task(gathered(behind.jobs.ingest(jobs(4), chunk=1)))
    await turnstile.came(2)
    await settled()
    assert len(turnstile.waiting) == 2

    turnstile.release(1)
    await settled()
    assert len(turnstile.waiting) == 2
    turnstile.release(0)
    await turnstile.came(4)
    turnstile.release(3)
    turnstile.release(2)

    assert await all_of_them == ["job-0", "job-1", "job-2", "job-3"]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("jobs", {"external_id": "a", "title": "1"}, {"external_id": "a", "title": "2"}),
        ("matches", {"user_id": "AB", "job_id": "c"}, {"user_id": "ab", "job_id": "c"}),
        ("matches", {"user_id": "a", "job_id": "c"}, {"user_email": "ada@test.com", "job_id": "c"}),
        (
            "interactions",
            {"user_email": "Ada@test.com", "job_id": "c", "interaction_type": "viewed"},
            {"user_email": "ada@test.com", "job_id": "c", "interaction_type": "viewed"},
        ),
    ],
)
async def test_a_call_waits_for_another_that_may_write_the_same_document(
    kind: str, first: Any, second: Any, turnstile: Turnstile, behind: AsyncClient
) -> None:
    resource = getattr(behind, kind)
    finished = asyncio.create_task(resource.ingest([first, second], chunk=1).finish())
    await turnstile.came(1)
    await settled()
    assert len(turnstile.waiting) == 1

    turnstile.release(0)
    await turnstile.came(2)
    turnstile.release(1)

    assert (await finished).created == 2


async def test_who_stops_listening_leaves_nothing_running(turnstile: Turnstile, behind: AsyncClient) -> None:
    before = asyncio.all_tasks()
    outcomes = behind.jobs.ingest(jobs(5), chunk=1).batches()
    first = asyncio.ensure_future(anext(outcomes))
    await turnstile.came(2)
    turnstile.release(0)
    await first

    await outcomes.aclose()

    assert asyncio.all_tasks() == before


async def test_closing_ends_what_is_on_its_way(turnstile: Turnstile) -> None:
    before = asyncio.all_tasks()
    client = AsyncClient("http://test", transport=turnstile)
    outcomes = client.jobs.ingest(jobs(5), chunk=1).batches()
    first = asyncio.ensure_future(anext(outcomes))
    await turnstile.came(2)

    await client.aclose()

    with pytest.raises(asyncio.CancelledError):
        await first
    assert asyncio.all_tasks() == before


async def test_items_may_come_asynchronously(behind: AsyncClient, turnstile: Turnstile) -> None:
    async def items() -> AsyncIterator[dict[str, Any]]:
        for item in jobs(2):
            await asyncio.sleep(0)
            yield item

    finished = asyncio.create_task(behind.jobs.ingest(items()).finish())
    await turnstile.came(1)
    turnstile.release(0)
    assert (await finished).created == 2


async def test_the_blocking_client_refuses_to_block_an_event_loop(server: StandIn) -> None:
    client = Client(server.url)
    with pytest.raises(LoopRunning, match="AsyncClient"):
        client.jobs.get("a" * 24)
    await asyncio.to_thread(client.close)


def test_the_blocking_client_starts_no_thread_and_leaves_nothing_open(server: StandIn) -> None:
    ours = threading.get_ident()
    threads: set[int] = set()

    def items() -> Iterator[dict[str, Any]]:
        for item in jobs(20):
            threads.add(threading.get_ident())
            yield item

    with Client(server.url) as client:
        for outcome in client.jobs.ingest(items(), chunk=2):
            if outcome.index == 5:
                break
        gc.collect()
        assert asyncio.all_tasks(client._loop._runner.get_loop()) == set()

    assert threads == {ours}


def test_outcomes_that_nobody_waits_for_do_not_outlive_their_client(server: StandIn) -> None:
    with Client(server.url) as client:
        outcomes = client.jobs.ingest(jobs(20), chunk=2).batches()
        next(outcomes)
    with pytest.raises(RuntimeError, match="closed"):
        next(outcomes)


def test_an_error_among_the_items_comes_through_as_it_is(client: Client) -> None:
    def items() -> Iterator[dict[str, Any]]:
        yield from jobs(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.jobs.ingest(items()).finish()


# Ingest runs


def test_a_block_that_is_a_run_completes_it(client: Client, server: StandIn) -> None:
    with client.ingest_runs.during("LinkedIn", opened_by="test") as run:
        opened = run.state
        client.jobs.ingest(jobs(1), run.id).finish()

    assert (opened.status, opened.closed, opened.opened_by) == ("open", None, "test")
    assert (run.state.status, run.state.closed) == ("completed", 7)
    assert server.bulk[0].query["run_id"] == run.id


def test_a_block_that_fails_aborts_its_run(client: Client) -> None:
    with pytest.raises(ZeroDivisionError), client.ingest_runs.during("LinkedIn") as run:
        raise ZeroDivisionError

    assert run.state.status == "aborted"


def test_a_run_that_would_close_too_many_says_how_many(client: Client, server: StandIn) -> None:
    server.too_many = {"active": 1000, "would_close": 980}
    run = client.ingest_runs.open("LinkedIn")

    with pytest.raises(ApiProblem) as raised:
        client.ingest_runs.complete(run.id)

    assert raised.value.code == "too_many_to_close"
    assert raised.value.members == {"active": 1000, "would_close": 980}


# Exports


def documents(count: int) -> list[dict[str, Any]]:
    return [{"id": f"{number:024x}", "title": f"Job {number}"} for number in range(1, count + 1)]


def test_an_export_that_breaks_off_goes_on_where_it_did(client: Client, server: StandIn) -> None:
    server.documents = documents(100)
    server.lines_until_broken.extend([30, 0, 50])
    server.trouble(None, BUSY, kind="export")

    assert list(client.jobs.export(is_active="any")) == server.documents

    calls = [call for call in server.received if call.path == "/jobs/export"]
    assert [call.query.get("cursor") for call in calls] == [None, *[f"{30:024x}"] * 3, f"{80:024x}"]
    assert all(call.query["is_active"] == "any" for call in calls)


def test_an_export_may_break_off_as_often_as_it_gets_on(client: Client, server: StandIn) -> None:
    server.documents = documents(100)
    server.lines_until_broken.extend([9] * 11)
    assert list(client.users.export()) == server.documents


def test_an_export_that_ends_in_the_middle_of_a_line_is_not_at_its_end(waits: Waits) -> None:
    answers = iter([b'{"id": "a"}\n{"id": "', b'{"id": "b"}\n'])
    cursors = []

    def answer(request: httpx.Request) -> httpx.Response:
        cursors.append(request.url.params.get("cursor"))
        return httpx.Response(200, content=next(answers))

    with Client("http://test", transport=httpx.MockTransport(answer), retry=Retry(sleep=waits)) as client:
        assert list(client.jobs.export()) == [{"id": "a"}, {"id": "b"}]
    assert cursors == [None, "a"]


def test_an_export_that_never_gets_on_is_given_up(client: Client, server: StandIn) -> None:
    server.documents = documents(10)
    server.lines_until_broken.extend([3, *[0] * 9])
    seen: list[Any] = []
    with pytest.raises(NoAnswer):
        seen.extend(client.jobs.export())
    assert len(server.received) == 5


def test_an_export_left_early_leaves_nothing_open(client: Client, server: StandIn) -> None:
    server.documents = documents(10)
    for document in client.users.export(cursor=f"{4:024x}"):
        assert document == server.documents[4]
        break


# With the app itself


@pytest.fixture
async def real(app: FastAPI, mongo: Mongo) -> AsyncIterator[AsyncClient]:
    async with AsyncClient("http://test", transport=httpx.ASGITransport(app)) as client:
        yield client


async def test_the_app_tells_created_updated_unchanged_and_rejected_apart(real: AsyncClient) -> None:
    first, second, bad = samples.job(), samples.job(), samples.job(salary_range={"min": -1})
    await real.jobs.create(first)
    await real.jobs.create(second)

    items = [first, {**second, "title": "Another"}, samples.job(), bad]
    outcomes = [outcome async for outcome in real.jobs.ingest(items)]

    assert [outcome.status for outcome in outcomes] == ["unchanged", "updated", "created", "rejected"]
    assert outcomes[3].errors[0].pointer == "/salary_range/min"
    assert outcomes[3].key["external_id"] == bad["external_id"]
    updated = await real.jobs.get(outcomes[1].id or "")
    assert updated["title"] == "Another"


async def test_the_app_takes_matches_and_interactions_by_name(real: AsyncClient) -> None:
    user = await real.users.create(samples.user())
    job = await real.jobs.create(samples.job())
    names = {"user_email": user["email"], "job_external_id": job["external_id"]}

    assert (await real.matches.ingest([{**names, "relevancy_score": 0.5}]).finish()).created == 1
    assert (await real.interactions.ingest([{**names, "interaction_type": "saved"}]).finish()).created == 1

    (match,) = [match async for match in real.matches.of_user(user["id"])]
    assert match["job_id"] == job["id"]
    (saved,) = [one async for one in real.interactions.of_job(job["id"])]
    assert saved["user_id"] == user["id"]


async def test_the_app_gives_back_all_that_it_took(real: AsyncClient) -> None:
    items = [samples.job() for _ in range(250)]
    await real.jobs.ingest(items, chunk=100).finish()

    exported = [job["external_id"] async for job in real.jobs.export()]
    listed = {job["external_id"] async for job in real.jobs.list(limit=50)}

    assert sorted(exported) == sorted(item["external_id"] for item in items)
    assert listed == set(exported)


async def test_a_run_of_the_app_closes_what_it_did_not_see(real: AsyncClient) -> None:
    gone, stays = (samples.job(source_platform="LinkedIn") for _ in range(2))
    await real.jobs.ingest([gone, stays]).finish()

    async with real.ingest_runs.during("LinkedIn") as run:
        await real.jobs.ingest([stays], run.id).finish()

    assert run.state.closed == 1
    assert [job["external_id"] async for job in real.jobs.list()] == [stays["external_id"]]
    (listed,) = [one async for one in real.ingest_runs.list()]
    assert listed.counts == Summary(unchanged=1)


async def test_the_verbs_of_a_resource_work(real: AsyncClient) -> None:
    user = await real.users.create(samples.user())
    assert (await real.users.patch(user["id"], {"name": "Eve"}))["name"] == "Eve"
    assert (await real.users.replace(user["id"], {"name": "Ida"}))["name"] == "Ida"
    assert (await real.users.stats(user["id"]))["jobs_viewed"] == 0
    search = await real.saved_searches.create(samples.search(user["id"]))
    assert [one async for one in real.saved_searches.of_user(user["id"])] == [search]
    await real.users.delete(user["id"])
    with pytest.raises(ApiProblem) as raised:
        await real.users.get(user["id"])
    assert (raised.value.status, raised.value.code) == (404, "not_found")
