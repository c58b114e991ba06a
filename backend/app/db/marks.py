"""Marks on stats: what they are worked out from has changed, is changing, or may have.

An event marks the stats of its users before it writes, and again when it has written. The first mark is this
event's own, and nobody but this event takes it away until its time is up: so an app that is killed between
the two leaves it, and until then whoever reads the stats works them out anew. The second is for those who
read them before the write could be seen.

Neither waits until it would outlive a crash of MongoDB: the first does if the write does, and without the
second there is still the first.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from bson import ObjectId

from backend.app.db.ambient import ambient
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo
from backend.app.db.schema import STATS, Spec
from backend.app.errors import Failure
from backend.app.models.base import REVISION, Document

EVENTS = "events"
"""Of stats: the events that have begun, and are not known to have ended."""
STALE = "stale"
"""Of stats: something has happened since they were worked out."""


@asynccontextmanager
async def event(mongo: Mongo, spec: Spec, documents: Iterable[Mapping[str, Any]]) -> AsyncIterator[None]:
    """Around a write of these documents, old or new: the stats that they count for are marked.

    In a transaction that is done just before its commit and after it, and past it: else one that writes for
    many users would keep all others waiting that do.
    """
    users = list({document["user_id"] for document in documents}) if spec.in_stats else []
    if not users:
        yield
        return
    this = ObjectId()
    begin = {"$push": {EVENTS: this}}
    end = {"$pull": {EVENTS: this}, "$set": {STALE: True}, "$inc": {REVISION: 1}}
    if (around := ambient.get()) is not None:
        yield
        around.beforehand.append(partial(_mark_within, mongo, users, begin))
        around.afterwards.append(partial(_mark, mongo, users, end))
        return
    await _mark(mongo, users, begin)
    try:
        yield
    except Failure as failure:
        if failure.status < 500:
            # Refused: nothing has happened. Whether it has, after any other failure, nobody knows.
            with suppress(Failure):
                await _mark(mongo, users, {"$pull": {EVENTS: this}})
        raise
    # Should this fail, the mark that there is says as much.
    with suppress(Failure):
        await _mark(mongo, users, end)


async def _mark(mongo: Mongo, users: list[ObjectId], update: Document) -> None:
    with driver_errors():
        await mongo.write(STATS.name, "update_many", {"user_id": {"$in": users}}, update, hasty=True)


async def _mark_within(mongo: Mongo, users: list[ObjectId], update: Document) -> None:
    # Not where the writes wait their turn: those ahead may be waiting for this transaction.
    with driver_errors():
        await mongo.hasty(STATS.name).update_many({"user_id": {"$in": users}}, update)
