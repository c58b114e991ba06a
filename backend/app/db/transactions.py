"""Transactions: all or nothing, and again when another write came between."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pymongo.errors import PyMongoError

from backend.app.db.mongo import Mongo, Session

T = TypeVar("T")


async def transaction(mongo: Mongo, work: Callable[[Session], Awaitable[T]]) -> T:
    """Run `work` so that all of it stands or none.

    Motor's own helper takes no deadline: one server stall had it try thousands of times.
    """
    end = time.monotonic() + mongo.settings.request_deadline
    session = await mongo.start_session()
    attempt = 0
    try:
        while True:
            try:
                return await _attempt(mongo, session, work, end)
            except PyMongoError as error:
                if not _worth_another(error, "TransientTransactionError", end):
                    raise
            if session.in_transaction:
                await session.abort_transaction()
            await pause(attempt)
            attempt += 1
    finally:
        mongo.end_apart(session)


async def _attempt(mongo: Mongo, session: Session, work: Callable[[Session], Awaitable[T]], end: float) -> T:
    await mongo.start_transaction(session)
    result = await work(session)
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if not _worth_another(error, "UnknownTransactionCommitResult", end):
                raise
        else:
            return result


def _worth_another(error: PyMongoError, label: str, end: float) -> bool:
    return error.has_error_label(label) and not error.timeout and time.monotonic() < end


async def pause(attempt: int) -> None:
    """Before another attempt at what somebody else came first to: longer each time, and never the same."""
    await asyncio.sleep(min(0.002 * 1.5 ** min(attempt, 20), 0.1) * random.random())
