"""Bulk: many items in one go, each created, updated, unchanged or rejected, and told apart exactly."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import bson
from bson import ObjectId
from pymongo.errors import BulkWriteError

from backend.app.db.ambient import joined
from backend.app.db.bulk.changes import Change, Terms, Write
from backend.app.db.bulk.crawls import Crawl
from backend.app.db.bulk.intakes import INTAKES, Key
from backend.app.db.bulk.items import Item, identify, parts
from backend.app.db.collection import Collection, find_all
from backend.app.db.failures import driver_errors
from backend.app.db.marks import event
from backend.app.db.transactions import StartOver, afterwards, pause
from backend.app.errors import TooLarge
from backend.app.models.base import REVISION, SEAL, Document
from backend.app.models.bulk import Mode

# Documents that stand, held at once: their size is not bounded by that of the items.
DOCUMENTS_AT_A_TIME = 250
# More than a batch can find, so that one round trip brings them all.
IN_ONE_REPLY = 100_000
MOST_PRETENDED = 128 * 1024 * 1024
# A key that others took first, a revision that is not there any more, a document that another transaction is
# changing.
RACED = {11000, 66, 112}

Groups = Mapping[Key, Sequence[Item]]
"""Items by key, in input order."""
Turn = Callable[[], Awaitable[object]]


class Bulk:
    """One bulk call on one collection, which takes its items batch by batch.

    Nothing that was read is written back blindly; what others came first to is planned anew.
    """

    def __init__(
        self, collection: Collection, mode: Mode, *, crawl: Crawl | None = None, dry: bool = False
    ) -> None:
        self.collection = collection
        self.mongo = collection.mongo
        self.spec = collection.spec
        source = crawl.source if crawl else None
        self.terms = Terms(INTAKES[collection.spec], collection.born, mode == "merge", source)
        self.crawl = crawl
        self.pretence = Pretence() if dry else None

    async def identify(self, items: Sequence[Item]) -> None:
        """Find the key and the parents of each."""
        await identify(self.mongo, self.terms.intake, items)

    async def settle(self, items: Sequence[Item], turn: Turn | None = None) -> None:
        """Settle what becomes of each item that has been identified, and see to it.

        The run is told in turn, where there is one to wait for: it keeps those rejected first.
        """
        await self._store(items)
        if self.crawl and not self.pretence:
            if turn is not None:
                await turn()
            await self.crawl.count(items)

    async def _store(self, items: Sequence[Item]) -> None:
        groups: dict[Key, list[Item]] = {}
        for item in items:
            if item.key is not None:
                groups.setdefault(item.key, []).append(item)
        if self.crawl and not groups and not self.pretence:
            # Nothing that it could have seen, and yet the run is told of it.
            await self.crawl.saw(())
        pending: Groups = groups
        attempt = 0
        while pending:
            writes = await self._plan(pending)
            if self.pretence:
                self.pretence.add(writes, items)
                return
            if self.crawl:
                await self.crawl.saw([item for key in pending for item in pending[key]])
            raced = await self._write(writes)
            if raced and joined() is not None:
                raise StartOver
            pending = {write.key: groups[write.key] for write in raced}
            if pending:
                await pause(attempt)
                attempt += 1
        await afterwards(partial(self._stay_with_parents, items))

    async def _plan(self, groups: Groups) -> list[Write]:
        """Settle the status of each item, as things stand, and what is to be written for it."""
        briefs = await self._briefs(groups)
        open_keys = []
        for key, items in groups.items():
            brief = briefs.get(key)
            for item in items:
                item.standing = brief["_id"] if brief else None
            if brief and self.terms.are_sealed(items, brief):
                items[0].became("unchanged", brief["_id"])
            else:
                open_keys.append(key)
        writes: list[Write] = []
        for start in range(0, len(open_keys), DOCUMENTS_AT_A_TIME):
            keys = open_keys[start : start + DOCUMENTS_AT_A_TIME]
            standing = await self._documents({key: briefs[key]["_id"] for key in keys if key in briefs})
            changes = {key: Change(self.terms, key, standing.get(key)) for key in keys}
            for part in parts(item for key in keys for item in groups[key]):
                for item in part:
                    if item.key is not None:
                        changes[item.key].take(item)
                await asyncio.sleep(0)
            writes += [write for change in changes.values() if (write := change.written())]
        return writes

    async def _write(self, writes: Sequence[Write]) -> list[Write]:
        """Carry the writes out; those that others were ahead of come back."""
        if not writes:
            return []
        operations = [write.operation for write in writes]
        async with event(self.mongo, self.spec, [write.after for write in writes]):
            try:
                with driver_errors():
                    await self.collection.write("bulk_write", operations, ordered=False)
            except BulkWriteError as error:
                faults = error.details["writeErrors"]
                if not faults or any(fault["code"] not in RACED for fault in faults):
                    raise
                return [writes[fault["index"]] for fault in faults]
        return []

    async def _briefs(self, groups: Groups) -> dict[Key, Document]:
        """Of each key that somebody has: the id and the seal of the document."""
        intake = self.terms.intake
        shown = dict.fromkeys((*intake.key, REVISION, SEAL), 1)
        with driver_errors():
            found = await self.mongo.find(
                self.spec.name, self._with_keys(groups), projection=shown, batch_size=IN_ONE_REPLY
            )
        briefs = {intake.key_in(document): document for document in found}
        return briefs | self._pretended(groups)

    def _with_keys(self, keys: Groups) -> Document:
        """A query for many keys: by their first part, then the second, as the index has them."""
        first, *others = self.terms.intake.key
        if not others:
            return {first: {"$in": [key[0] for key in keys]}}
        seconds: dict[Any, list[Any]] = {}
        for key in keys:
            seconds.setdefault(key[0], []).append(key[1])
        return {"$or": [{first: value, others[0]: {"$in": listed}} for value, listed in seconds.items()]}

    async def _documents(self, ids: Mapping[Key, ObjectId]) -> dict[Key, Document]:
        found = await find_all(self.mongo, self.spec, "_id", ids.values())
        by_id = {document["_id"]: document for document in found}
        return {key: by_id[which] for key, which in ids.items() if which in by_id} | self._pretended(ids)

    def _pretended(self, keys: Iterable[Key]) -> dict[Key, Document]:
        return self.pretence.of(keys) if self.pretence else {}

    async def _stay_with_parents(self, items: Sequence[Item]) -> None:
        """A parent deleted while its children were being added takes them along after all."""
        for name, parent in self.spec.belongs_to.items():
            named = {item.parents[name]["_id"] for item in items if item.status == "created"}
            there = {document["_id"] for document in await find_all(self.mongo, parent, "_id", named, "_id")}
            if gone := named - there:
                await self.collection.remove_all({name: {"$in": list(gone)}})


class Pretence:
    """What a dry run would have stored, for what it says of a key that comes again."""

    def __init__(self) -> None:
        self._documents: dict[Key, bytes] = {}
        self._unborn: set[ObjectId] = set()
        self._bytes = 0

    def add(self, writes: Iterable[Write], items: Iterable[Item]) -> None:
        for write in writes:
            document = bson.encode(write.after)
            self._bytes += len(document) - len(self._documents.get(write.key, b""))
            if self._bytes > MOST_PRETENDED:
                raise TooLarge("The documents are too large for one dry run; send fewer at a time")
            self._documents[write.key] = document
            if write.before is None:
                self._unborn.add(write.after["_id"])
        for item in items:
            # An id that no document will ever have is of no use to anybody.
            if item.id in self._unborn:
                item.id = None

    def of(self, keys: Iterable[Key]) -> dict[Key, Document]:
        return {key: bson.decode(self._documents[key]) for key in keys if key in self._documents}
