"""Answers that take long: the truth where there is little, one answer for everybody where there is much."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.db.schema import JOBS, STANDING
from backend.app.db.standing import Standing
from backend.app.errors import Overdue, Unavailable
from backend.app.models.base import Document, now
from backend.tests.client import Client

NAME = "what"
OLD = timedelta(minutes=5)


class Counting:
    """Work whose answer tells how often it was done, and which goes on when it is told to."""

    def __init__(self) -> None:
        self.done = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.began = asyncio.Event()

    async def __call__(self) -> Document:
        self.began.set()
        await self.may_go_on.wait()
        self.done += 1
        return {"times": self.done}


@pytest.fixture
async def make(mongo: Mongo) -> AsyncIterator[Callable[..., Standing]]:
    """Workers to which any collection is a large one."""
    made = []

    def worker(**options: Any) -> Standing:
        made.append(Standing(mongo, **{"few": -1, **options}))
        return made[-1]

    yield worker
    for standing in made:
        await standing.close()


async def put_down(mongo: Mongo, at: datetime | None, **fields: Any) -> None:
    answer = {} if at is None else {"answer": {"times": 0}, "at": at, "took": 1.0}
    await mongo[STANDING.name].insert_one({"_id": NAME, **answer, **fields})


async def asked(standing: Standing, work: Callable[[], Awaitable[Document]], **options: Any) -> Document:
    return (await standing.answer(NAME, [JOBS], work, **options)).document


async def test_over_a_small_collection_each_answer_is_worked_out(client: Client, mongo: Mongo) -> None:
    standing, work = Standing(mongo, few=1), Counting()

    await client.job()
    assert [await asked(standing, work), await asked(standing, work)] == [{"times": 1}, {"times": 2}]
    await client.job()
    assert [await asked(standing, work), await asked(standing, work)] == [{"times": 3}, {"times": 3}]
    await standing.close()


async def test_an_answer_is_kept_for_all_workers(make: Callable[..., Standing]) -> None:
    work = Counting()

    first = await make().answer(NAME, [JOBS], work)
    second = await make().answer(NAME, [JOBS], work)

    assert first == second
    assert (work.done, now() - first.as_of < OLD) == (1, True)


async def test_many_who_ask_at_once_have_it_worked_out_once(make: Callable[..., Standing]) -> None:
    work, workers = Counting(), [make(), make()]

    answers = await asyncio.gather(*(asked(worker, work) for worker in workers for _ in range(10)))

    assert (work.done, answers) == (1, [{"times": 1}] * 20)


async def test_an_answer_that_is_too_old_is_worked_out_anew(
    make: Callable[..., Standing], mongo: Mongo
) -> None:
    await put_down(mongo, now() - OLD)

    assert await asked(make(), Counting()) == {"times": 1}


async def test_an_answer_of_some_age_is_given_while_a_newer_one_is_made(
    make: Callable[..., Standing], mongo: Mongo
) -> None:
    await put_down(mongo, now() - OLD)
    worker, work = make(fresh=1.5 * OLD), Counting()

    assert await asked(worker, work) == {"times": 0}
    await worker.settled()
    assert (await asked(worker, work), work.done) == ({"times": 1}, 1)


async def test_an_answer_that_took_long_stands_longer(make: Callable[..., Standing], mongo: Mongo) -> None:
    await put_down(mongo, now() - OLD)
    work = Counting()
    await mongo[STANDING.name].update_one({}, {"$set": {"took": OLD.total_seconds()}})

    assert (await asked(make(), work), work.done) == ({"times": 0}, 0)


async def test_an_old_answer_is_better_than_one_out_of_time(
    make: Callable[..., Standing], mongo: Mongo
) -> None:
    await put_down(mongo, now() - OLD)
    worker, work = make(), Counting()
    work.may_go_on.clear()

    assert await asked(worker, work, patience=0.01) == {"times": 0}
    # It goes on, though nobody waits for it any more.
    work.may_go_on.set()
    await worker.settled()
    assert (await asked(worker, work), work.done) == ({"times": 1}, 1)


async def test_with_no_answer_yet_one_is_told_to_ask_again(make: Callable[..., Standing]) -> None:
    worker, work = make(), Counting()
    work.may_go_on.clear()

    with pytest.raises(Unavailable):
        await asked(worker, work, patience=0.01)
    work.may_go_on.set()

    assert await asked(worker, work) == {"times": 1}


async def test_while_one_worker_is_at_it_no_other_is(make: Callable[..., Standing], mongo: Mongo) -> None:
    await put_down(mongo, now() - OLD, holder=ObjectId(), leased_until=now() + OLD)
    work = Counting()

    assert await asked(make(), work, patience=0.15) == {"times": 0}
    assert work.done == 0


async def test_what_a_killed_worker_was_at_is_taken_over(make: Callable[..., Standing], mongo: Mongo) -> None:
    await put_down(mongo, None, holder=ObjectId(), leased_until=now() - timedelta(seconds=1))

    assert await asked(make(), Counting()) == {"times": 1}


async def test_a_worker_that_comes_too_late_puts_nothing_down(
    make: Callable[..., Standing], mongo: Mongo
) -> None:
    late, slow = make(), Counting()
    slow.may_go_on.clear()
    with pytest.raises(Unavailable):
        await asked(late, slow, patience=0.01)
    await slow.began.wait()
    past = {"leased_until": now() - timedelta(seconds=1)}
    await mongo[STANDING.name].update_one({"_id": NAME}, {"$set": past})
    other = Counting()
    other.done = 10
    assert await asked(make(), other) == {"times": 11}

    slow.may_go_on.set()
    await late.settled()

    assert await asked(make(), other) == {"times": 11}


async def test_whoever_fails_leaves_it_to_the_others(make: Callable[..., Standing], mongo: Mongo) -> None:
    async def fail() -> Document:
        raise Overdue

    worker = make()
    with pytest.raises(Unavailable):
        await asked(worker, fail)
    (noted,) = await mongo.find(STANDING.name, {})

    assert noted["leased_until"] < now() + timedelta(seconds=5)
    assert "answer" not in noted


async def test_a_worker_that_stops_lets_go_of_its_work(make: Callable[..., Standing], mongo: Mongo) -> None:
    worker, work = make(), Counting()
    work.may_go_on.clear()
    with pytest.raises(Unavailable):
        await asked(worker, work, patience=0.01)
    await work.began.wait()

    await worker.close()

    (noted,) = await mongo.find(STANDING.name, {})
    assert work.done == 0
    assert noted["leased_until"] < now() + timedelta(seconds=5)
