"""Saved searches: what each of them finds, counted when it is shown."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId
from pymongo import ReturnDocument

from backend.app.db.collection import Collection, missing
from backend.app.db.failures import driver_errors
from backend.app.db.jobs import MOST_COUNTED, Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.schema import Spec
from backend.app.db.search_counts import SearchCounts, Total
from backend.app.errors import Failure, Unavailable
from backend.app.models.base import REVISION, Document, now
from backend.app.models.conditions import JobQuery
from backend.app.models.search_queries import Wanted, wanted

log = logging.getLogger(__name__)

COUNTED_AT_ONCE = 8
# Of the time that a request has, how much it waits for counts.
PATIENCE = 0.8
SECONDS_TO_THE_NEXT_MOMENT = 0.002


class Searches(Collection):
    def __init__(self, mongo: Mongo, spec: Spec, jobs: Jobs, most: int = MOST_COUNTED) -> None:
        super().__init__(mongo, spec)
        self.counts = SearchCounts(jobs)
        self.most = most
        self.patience = PATIENCE * mongo.settings.request_deadline
        self._room = asyncio.Semaphore(COUNTED_AT_ONCE)

    async def counted(self, searches: Sequence[Document]) -> list[Document]:
        """The same with what they find now."""
        try:
            async with asyncio.timeout(self.patience):
                return await self._counted(searches)
        except TimeoutError:
            raise Unavailable("This takes a while to count; ask again") from None

    async def written(self, search: Document) -> Document:
        """One that was just written, counted if that does not take too long: what is done is done."""
        try:
            (counted,) = await self.counted([search])
        except Failure as failure:
            log.info("A saved search is answered without its counts: %s", failure.reason)
            return {**search, "ignored_keys": wanted_by(search).ignored}
        return counted

    async def _counted(self, searches: Sequence[Document]) -> list[Document]:
        """What several of them ask for is counted once."""
        asked = [wanted_by(search) for search in searches]
        queries = {repr(one.query): one.query for one in asked}
        counts = await asyncio.gather(*(self._total(query) for query in queries.values()))
        totals = dict(zip(queries, counts, strict=True))
        found = [totals[repr(one.query)] for one in asked]
        new = await asyncio.gather(*map(self._new, searches, asked, found))
        return [
            {
                **search,
                "total_matches": min(total.count, self.most),
                "total_is_capped": total.count > self.most,
                "new_matches": fresh,
                "ignored_keys": one.ignored,
            }
            for search, one, total, fresh in zip(searches, asked, found, new, strict=True)
        ]

    async def viewed(self, key: ObjectId) -> Document:
        """Note that somebody has seen what it finds: what comes from now on is new."""
        moment = now()
        update = {"$set": {"last_viewed": moment, "last_match_check": moment}, "$inc": {REVISION: 1}}
        with driver_errors():
            found: Document | None = await self.write(
                "find_one_and_update", {"_id": key}, update, return_document=ReturnDocument.AFTER
            )
        if found is None:
            raise missing(self.spec)
        if now() <= moment:
            # What is added after the answer bears a later time.
            await asyncio.sleep(SECONDS_TO_THE_NEXT_MOMENT)
        return found

    async def _total(self, query: JobQuery) -> Total:
        async with self._room:
            return await self.counts.total(query, self.most)

    async def _new(self, search: Document, asked: Wanted, total: Total) -> int:
        if not total.count:
            return 0
        async with self._room:
            return await self.counts.new(asked.query, new_since(search), total)


def wanted_by(search: Document) -> Wanted:
    # A document that the service has not written may lack it.
    return wanted(search.get("search_query", {}))


def new_since(search: Document) -> datetime:
    """The moment after which what comes is new."""
    moment: datetime = search.get("last_viewed") or search["created_at"]
    return moment
