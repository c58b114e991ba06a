"""Transactions: all or nothing, and again when another write came between."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from pymongo.errors import PyMongoError

from backend.app.db.ambient import Ambient, Deed, ambient
from backend.app.db.mongo import Mongo, Session
from backend.app.errors import Failure, Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)


class StartOver(Unavailable):
    """Raised inside a transaction whose next attempt will see what kept this one from going on."""

    def __init__(self) -> None:
        super().__init__("The database is busy or changing hands")


async def transaction(
    mongo: Mongo, work: Callable[[Session], Awaitable[T]], seconds: float | None = None
) -> T:
    """Run `work` so that all of it stands or none; it is run again for as long as a request may take.

    All that is written inside joins the transaction, and a transaction inside is a part of this one.

    Motor's own helper takes no deadline: one server stall had it try thousands of times.
    """
    if (around := ambient.get()) is not None:
        return await work(around.session)
    end = time.monotonic() + (seconds or mongo.settings.request_deadline)
    session = await mongo.start_session()
    this = Ambient(session, kept={})
    attempt = 0
    try:
        while True:
            try:
                result = await _attempt(mongo, this, work, end)
                break
            except (PyMongoError, Failure) as error:
                if not _worth_starting_over(error, end):
                    raise
            if session.in_transaction:
                await session.abort_transaction()
            await pause(attempt)
            attempt += 1
            this = Ambient(session, this.kept)
    finally:
        mongo.end_apart(session)
    for do in this.afterwards:
        await _apart_from_the_outcome(do)
    return result


async def _attempt(mongo: Mongo, this: Ambient, work: Callable[[Session], Awaitable[T]], end: float) -> T:
    await mongo.start_transaction(this.session)
    token = ambient.set(this)
    try:
        result = await work(this.session)
    finally:
        ambient.reset(token)
    for do in this.beforehand:
        await do()
    while True:
        try:
            await this.session.commit_transaction()
        except PyMongoError as error:
            if not _worth_another(error, "UnknownTransactionCommitResult", end):
                raise
        else:
            return result


def _worth_starting_over(error: PyMongoError | Failure, end: float) -> bool:
    if isinstance(error, StartOver):
        return time.monotonic() < end
    # What is deeper in the data layer may have told it in words for a client already.
    cause = error.__cause__ if isinstance(error, Failure) else error
    return isinstance(cause, PyMongoError) and _worth_another(cause, "TransientTransactionError", end)


def _worth_another(error: PyMongoError, label: str, end: float) -> bool:
    return error.has_error_label(label) and not error.timeout and time.monotonic() < end


async def _apart_from_the_outcome(do: Deed) -> None:
    try:
        await do()
    except Failure as failure:
        # What was written stands, whatever becomes of this.
        if failure.status >= 500:
            log.warning("After a commit: %s: %s", failure.code, failure.reason)


async def afterwards(do: Deed) -> None:
    """Do what must see the writes so far stand: now, or after the commit of the transaction they are in.

    Now, it may fail; after a commit it is too late for that, and the sweep of `removals.py` has to do.
    """
    around = ambient.get()
    if around is None:
        await do()
    else:
        around.afterwards.append(do)


async def kept(name: str, make: Callable[[], Awaitable[T]]) -> T:
    """What `make` comes to: the first time only, where a transaction starts over."""
    around = ambient.get()
    if around is None:
        return await make()
    if name not in around.kept:
        around.kept[name] = await make()
    return cast("T", around.kept[name])


async def pause(attempt: int) -> None:
    """Before another attempt at what somebody else came first to: longer each time, and never the same."""
    await asyncio.sleep(min(0.002 * 1.5 ** min(attempt, 20), 0.1) * random.random())
