"""Findings: which postings a query has found, kept, so that to count them again takes only what came since.

To count what several words have in common, each posting with one of them has to be fetched: a hundred times
what it takes to pass by in an index. So that is done once. From then on, what was added, changed or removed
since is taken out, and put in again if it matches now.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from bson import ObjectId

from backend.app.db.failures import driver_errors
from backend.app.db.filters import asked_of_each, ids_since
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.removals import time_of_all_requests
from backend.app.db.schema import FINDINGS, JOBS, REMOVALS, REMOVED_JOBS
from backend.app.errors import Failure
from backend.app.models.base import Document, now
from backend.app.models.conditions import JobQuery

BY_ID = {"_id": 1}
BY_CHANGE = {"updated_at": 1}
ID_BYTES = 12
# To look at more than this takes longer than to begin anew.
MOST_CHANGED = 20_000
# What is kept is renewed if it saves the next reader some work; or else it would be forgotten one day.
WORTH_RENEWING = 500
RENEWED_AFTER = timedelta(minutes=1)
RENEWED_WHEN_OLD = timedelta(days=1)
SECONDS_TO_FIND = 30.0

Find = Callable[[], Awaitable["Finding"]]


@dataclass(frozen=True)
class Finding:
    at: datetime
    """When it was begun."""
    ids: frozenset[bytes]
    are_all: bool

    def is_enough(self, most: int) -> bool:
        return self.are_all or len(self.ids) > most


class Findings:
    def __init__(self, mongo: Mongo) -> None:
        self.mongo = mongo
        self._under_way: dict[bytes, asyncio.Task[Finding]] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    async def of(self, query: JobQuery, find: Find, most: int) -> Finding:
        """What a query finds now: all of it, or more than so many."""
        name = blake2b(repr(query).encode(), digest_size=16).digest()
        kept = await self._kept(name)
        found = kept and await self._renewed(name, kept, query)
        if kept is None or found is None or not found.is_enough(most):
            return await self._found(name, find)
        return found

    async def settled(self) -> None:
        """Until nothing is being found or kept here."""
        await asyncio.gather(*self._under_way.values(), *self._keeping, return_exceptions=True)

    async def close(self) -> None:
        for task in (*self._under_way.values(), *self._keeping):
            task.cancel()
        await self.settled()

    async def _found(self, name: bytes, find: Find) -> Finding:
        """Found anew, apart from the request: what takes longer than that may is there for the next."""
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.create_task(self._find(name, find), context=Context())
            self._under_way[name] = task
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        # It goes on when the request does not wait any longer.
        return await asyncio.shield(task)

    async def _find(self, name: bytes, find: Find) -> Finding:
        with deadline(SECONDS_TO_FIND):
            found = await find()
            await self._keep(name, found)
        return found

    async def _kept(self, name: bytes) -> Finding | None:
        oldest = now() - (FINDINGS.kept or timedelta())
        found = await self._read(FINDINGS.name, [{"$match": {"_id": name, "at": {"$gt": oldest}}}])
        if not found:
            return None
        (kept,) = found
        raw = kept["ids"]
        ids = frozenset(raw[start : start + ID_BYTES] for start in range(0, len(raw), ID_BYTES))
        return Finding(kept["at"], ids, kept["are_all"])

    async def _keep(self, name: bytes, found: Finding) -> None:
        document = {"at": found.at, "ids": b"".join(sorted(found.ids)), "are_all": found.are_all}
        # Next time is soon enough.
        with suppress(Failure), driver_errors():
            await self.mongo.write(FINDINGS.name, "replace_one", {"_id": name}, document, upsert=True)

    async def _renewed(self, name: bytes, kept: Finding, query: JobQuery) -> Finding | None:
        """With what has become of postings since; nothing, if that is too much."""
        began = now()
        # What was under way then may not have been seen.
        since = kept.at - time_of_all_requests(self.mongo)
        came: Document = {"$or": [{"_id": ids} for ids in ids_since(since)]}
        changed: Document = {"updated_at": {"$gte": since}}
        touched = await asyncio.gather(
            self._ids([came], BY_ID), self._ids([changed], BY_CHANGE), self._removed(since)
        )
        changes = sum(map(len, touched))
        if changes > MOST_CHANGED:
            return None
        each = asked_of_each(query)
        match = await asyncio.gather(self._ids([came, *each], BY_ID), self._ids([changed, *each], BY_CHANGE))
        *_, removed = touched
        ids = kept.ids.difference(*touched).union(*match).difference(removed)
        found = Finding(began, ids, kept.are_all)
        age = began - kept.at
        if age > RENEWED_WHEN_OLD or (age > RENEWED_AFTER and changes > WORTH_RENEWING):
            keeping = asyncio.create_task(self._keep(name, found), context=Context())
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
        return found

    async def _ids(self, asked: list[Document], index: Document) -> list[bytes]:
        pipeline: list[Document] = [
            {"$match": {"$and": asked}},
            {"$limit": MOST_CHANGED + 1},
            {"$project": BY_ID},
        ]
        return packed(posting["_id"] for posting in await self._read(JOBS.name, pipeline, hint=index))

    async def _removed(self, since: datetime) -> list[bytes]:
        first, *_ = ids_since(since)
        # In this order: from the one they go to the other.
        lately = await self._read(REMOVALS.name, [{"$match": {"_id": first, "collection": JOBS.name}}])
        before = await self._read(REMOVED_JOBS.name, [{"$match": {"at": {"$gte": since}}}])
        return packed([*(removal["document"] for removal in lately), *(job["_id"] for job in before)])

    async def _read(self, name: str, pipeline: list[Document], **options: Any) -> list[Document]:
        with driver_errors():
            return await self.mongo.aggregate(name, pipeline, **options)


def packed(ids: Iterable[ObjectId]) -> list[bytes]:
    return [one.binary for one in ids]
