"""Exports: a collection from one end to the other, in order of ids, with little of it in memory at a time."""

import asyncio
from collections.abc import AsyncGenerator, Iterator

from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.filters import also, route
from backend.app.db.jobs import Jobs
from backend.app.db.mongo import deadline
from backend.app.db.paging import Where
from backend.app.db.schema import in_order_of_ids
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery

MOST_AT_ONCE = 1000
# What follows is as many as make up a megabyte, judging by those before.
FIRST = 100
BYTES_AT_ONCE = 1024 * 1024
# Rendered in one go: a fraction of a millisecond, in which every other request waits.
CHUNK_BYTES = 64 * 1024
# As many may be looked through anew, and put in order, for each batch.
FEW = 20_000


class Export:
    """Reads batch by batch, each with a query of its own that begins after the last id.

    So nothing stays open in the database, however long the client takes, and whether it comes back or not.
    """

    def __init__(self, collection: Collection, where: Where) -> None:
        self.mongo = collection.mongo
        self.spec = collection.spec
        self._narrow(where)
        self.first: list[Document] = []
        self.limit = FIRST
        # MongoDB's own: of more, all other requests would notice how long they take to decode.
        self.batch_size = 0

    async def begin(self, cursor: ObjectId | None) -> None:
        """Fetch the first batch: a failure up to here can still be told."""
        self.first = await self._fetch(cursor)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """JSON, one document a line, some lines at a time. While they are sent, the next batch is fetched."""
        batch = self.first
        while batch:
            coming = asyncio.create_task(self._fetch(batch[-1]["_id"]))
            coming.add_done_callback(_heard)
            try:
                for piece in self._rendered(batch):
                    yield piece
                    # A client that takes all at once would keep the others waiting.
                    await asyncio.sleep(0)
                batch = await coming
            finally:
                coming.cancel()

    def query(self, after: ObjectId | None) -> Document:
        return self.where if after is None else {**self.where, "_id": {"$gt": after}}

    async def _fetch(self, after: ObjectId | None) -> list[Document]:
        query = self.query(after)
        with deadline(self.mongo.settings.bulk_deadline), driver_errors():
            # A negative limit asks for a single reply: 16 MB at most, whatever the documents turn out to be.
            return await self.mongo.find(
                self.spec.name,
                query,
                projection=self.spec.shown,
                sort=[("_id", 1)],
                hint=self.hint,
                limit=-self.limit,
                batch_size=self.batch_size,
            )

    def _rendered(self, batch: list[Document]) -> Iterator[bytes]:
        lines: list[bytes] = []
        size = total = 0
        for document in batch:
            lines.append(self.spec.render(document))
            size += len(lines[-1])
            if size >= CHUNK_BYTES:
                yield b"\n".join([*lines, b""])
                total, size = total + size, 0
                lines.clear()
        if lines:
            yield b"\n".join([*lines, b""])
        self.limit = max(1, min(MOST_AT_ONCE, BYTES_AT_ONCE * len(batch) // (total + size)))

    def _narrow(self, where: Where) -> None:
        """Leave out what may be anything, and choose the index.

        Not left to the planner: where the first documents all fit, one index is as good to it as another.
        """
        given = {name: value for name, value in where.items() if value is not None}
        keys = [key for key in self.spec.exports if key[0] in given]
        (first, *others) = keys or [()]
        # An index is read in order only with all of its fields.
        anything = {name: {"$in": list(self.spec.all_values(name))} for name in first[1:]}
        self.where: Document = {**anything, **given}
        # With two to choose from, it is about one user and one posting, who have a unique key.
        self.hint = None if others else list(in_order_of_ids(first))


class JobExport(Export):
    """Postings that a query finds.

    Where they are few, by what they are found by; else all are gone through, once, since no other index than
    that of the ids has them in order.
    """

    def __init__(self, jobs: Jobs, query: JobQuery) -> None:
        super().__init__(jobs, {"is_active": query.active})
        way = route(query, jobs.frequencies)
        asked = list(map(also, query.all))
        if way.lead is not None and jobs.frequencies.is_at_most(way.share, FEW):
            asked = way.also
            # Else they would be put in order for each hundred.
            self.batch_size = MOST_AT_ONCE
            activity = (
                {"$in": list(self.spec.all_values("is_active"))} if query.active is None else query.active
            )
            self.where = {**way.where, "is_active": activity}
            self.hint = list(self.spec.index_of(self.spec.listing(way.where)).items())
        if asked:
            self.where = {**self.where, "$and": asked}


def _heard(fetching: asyncio.Task[list[Document]]) -> None:
    """A failure that comes when nobody waits for the batch any more is no fault of the app."""
    if not fetching.cancelled():
        fetching.exception()
