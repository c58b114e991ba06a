"""Collection: reads and writes of one row of the table. Driver errors become domain errors here."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from types import NoneType
from typing import Any
from weakref import WeakValueDictionary

import bson
from bson import ObjectId
from pydantic import ValidationError
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from backend.app.db.ambient import joined
from backend.app.db.failures import driver_errors
from backend.app.db.marks import event
from backend.app.db.mongo import Mongo, Session
from backend.app.db.paging import Page, Reading, Where
from backend.app.db.schema import REMOVALS, USERS, Spec
from backend.app.db.transactions import afterwards, pause, transaction
from backend.app.errors import EmptyUpdate, KeyTaken, NotFound, Stale, invalid
from backend.app.models.base import REVISION, Body, Document, now
from backend.app.models.partial import merged

CHILDREN_AT_A_TIME = 5_000


class Collection:
    def __init__(self, mongo: Mongo, spec: Spec) -> None:
        self.mongo = mongo
        self.spec = spec
        self.documents: AsyncCollection[Document] = mongo[spec.name]
        self._turns: WeakValueDictionary[ObjectId, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: ObjectId) -> Document:
        with driver_errors():
            document = await self.documents.find_one({self.spec.key: key}, self.spec.shown, session=joined())
        if document is None:
            raise missing(self.spec)
        return document

    async def page(self, where: Where, limit: int, cursor: str | None = None) -> Page:
        reading = Reading(self.spec, self.spec.listing(where), where)
        # One more than asked for tells whether there is a next page.
        most = limit + 1
        query = reading.query(cursor)
        with driver_errors():
            found = await self.mongo.find(
                self.spec.name,
                query,
                projection=self.spec.shown,
                sort=reading.listing.sort,
                limit=most,
                batch_size=most,
            )
        more = reading.cursor_after(found[limit - 1]) if len(found) > limit else None
        return Page(found[:limit], more)

    async def count(self, where: Where) -> int:
        given = {name: value for name, value in where.items() if value is not None}
        with driver_errors():
            return await self.documents.count_documents(given, session=joined())

    async def add(self, body: Body) -> Document:
        """Store a new document. Its parents exist before and after, or it does not stay."""
        document = self.born(body.stored())
        await self.require_parents(document)
        await self.insert(document)
        await afterwards(partial(self.stay_with_parents, document))
        return document

    async def change(self, key: ObjectId, change: Body, if_match: str | None = None) -> Document:
        """Apply a merge patch or a replacement of fields; what results must be valid as a whole.

        The write is conditional on the revision that was read, and starts over when another came first, so
        that no change is lost and none is validated against a document that is not there any more.
        """
        sent = change.sent()
        if not sent:
            raise EmptyUpdate
        # Changes of one document take turns within a process. Else one that is held up, by the transaction of
        # an app that was killed, would collect every write there may be at once.
        async with self._turns.setdefault(key, asyncio.Lock()):
            attempt = 0
            while (changed := await self._try_change(key, change, sent, if_match)) is None:
                await pause(attempt)
                attempt += 1
            return changed

    async def _try_change(
        self, key: ObjectId, change: Body, sent: Document, if_match: str | None
    ) -> Document | None:
        """Nothing, if another change came first."""
        current = await self.get(key)
        self._check(if_match, current)
        update = self._update(current, change, sent)
        if not update:
            return current
        this = {"_id": current["_id"], REVISION: current.get(REVISION)}
        async with event(self.mongo, self.spec, [current]):
            with driver_errors(), self.taken():
                changed: Document | None = await self.write(
                    "find_one_and_update", this, update, return_document=ReturnDocument.AFTER
                )
                return changed

    async def remove(self, key: ObjectId, if_match: str | None = None) -> None:
        """Remove a document and all that belongs to it, at once or not at all."""

        async def cascade(session: Session) -> ObjectId:
            gone = await self._delete(key, if_match, session)
            await self.remove_children([gone], session)
            removal = {"_id": ObjectId(), "collection": self.spec.name, "document": gone}
            await self.mongo[REMOVALS.name].insert_one(removal, session=session)
            return gone

        with driver_errors():
            if not any(self.spec.children):
                await self._delete(key, if_match, None)
                return
            gone = await transaction(self.mongo, cascade)
            # A child added meanwhile was not seen by the transaction; one added later sees no parent.
            await afterwards(partial(self.remove_children, [gone]))

    def born(self, fields: Document, which: ObjectId | None = None) -> Document:
        document = {"_id": which or ObjectId(), **fields, REVISION: 1}
        if "created_at" in self.spec.fields:
            document["created_at"] = now()
        return self.spec.complete(document)

    async def write(self, command: str, *arguments: Any, **options: Any) -> Any:
        return await self.mongo.write(self.spec.name, command, *arguments, **options)

    async def insert(self, document: Document) -> None:
        async with event(self.mongo, self.spec, [document]):
            with driver_errors(), self.taken():
                await self.write("insert_one", document)

    async def require_parents(self, document: Mapping[str, Any]) -> list[Document]:
        """The parents of a document, as they are past any transaction; the first missing is the failure."""
        if not self.spec.belongs_to:
            return []
        with driver_errors():
            found = await asyncio.gather(
                *(
                    self.mongo[parent.name].find_one({"_id": document[name]})
                    for name, parent in self.spec.belongs_to.items()
                )
            )
        for parent, there in zip(self.spec.belongs_to.values(), found, strict=True):
            if there is None:
                raise missing(parent)
        return [there for there in found if there is not None]

    async def stay_with_parents(self, document: Mapping[str, Any]) -> None:
        """A parent deleted while its child was being added takes the child along after all."""
        try:
            await self.require_parents(document)
        except NotFound:
            await self.remove_all({"_id": document["_id"]})
            raise

    async def _delete(self, key: ObjectId, if_match: str | None, session: Session | None) -> ObjectId:
        while True:
            current = await self.documents.find_one({self.spec.key: key}, session=session)
            if current is None:
                raise missing(self.spec)
            self._check(if_match, current)
            this = {"_id": current["_id"], REVISION: current.get(REVISION)}
            async with event(self.mongo, self.spec, [current]):
                deleted = await self.write("delete_one", this, session=session)
            if deleted.deleted_count:
                gone: ObjectId = current["_id"]
                return gone

    def _update(self, current: Document, change: Body, sent: Document) -> Document:
        """The update that makes the current document what the change asks for, or none if it is that."""
        whole = change.whole
        before = {name: current[name] for name in whole.model_fields if name in current}
        after = merged(before, sent) if change.merges else replaced(before, sent)
        fields = validated(whole, after).stored()
        new = {name: value for name, value in fields.items() if not same(current.get(name), value)}
        gone = [name for name in before if name not in fields]
        if not new and not gone:
            return {}
        derived = self.spec.derived
        if derived and not derived.sources.isdisjoint((*new, *gone)):
            new[derived.field] = derived.make(fields)
        if self.spec.changed_at:
            new[self.spec.changed_at] = now()
        update: Document = {"$set": new, "$inc": {REVISION: 1}}
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        return update

    async def remove_children(self, parents: list[ObjectId], session: Session | None = None) -> None:
        for child, name in self.spec.children:
            below = Collection(self.mongo, child)
            mine = {name: {"$in": parents}}
            if any(child.children):
                ids = await below.documents.distinct("_id", mine, session=session)
                await below.remove_children(ids, session)
            if self.spec is USERS:
                # Their stats go with them, and those are locked by now.
                await below.write("delete_many", mine, session=session)
            else:
                await below.remove_all(mine, session)

    async def remove_all(self, where: Document, session: Session | None = None) -> None:
        """Remove whatever a query finds, and nothing that comes meanwhile and counts for somebody's stats."""
        if not self.spec.in_stats:
            with driver_errors():
                await self.write("delete_many", where, session=session)
            return
        shown, most = {"user_id": 1}, CHILDREN_AT_A_TIME
        with driver_errors():
            while found := await self.mongo.find(self.spec.name, where, projection=shown, limit=most):
                these = {"_id": {"$in": [document["_id"] for document in found]}}
                async with event(self.mongo, self.spec, found):
                    await self.write("delete_many", these, session=session)
                if len(found) < most:
                    return

    def _check(self, if_match: str | None, document: Document) -> None:
        if if_match is None or if_match.strip() == "*":
            return
        if not any(self.spec.is_tagged(document, tag.strip()) for tag in if_match.split(",")):
            raise Stale

    def taken(self) -> "taken":
        return taken(self.spec)


class taken:  # noqa: N801 - a context manager, used as a function
    """Turns a refused key into a failure that names its fields."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DuplicateKeyError):
            fields = " and ".join((error.details or {}).get("keyPattern", {}))
            raise KeyTaken(f"{self.spec.noun} with this {fields} already exists") from error


async def find_all(
    mongo: Mongo, spec: Spec, by: str, values: Iterable[object], *shown: str
) -> list[Document]:
    """All documents with these values, in one go; whole, unless it is said what to show of them."""
    wanted = list(values)
    if not wanted:
        return []
    projection = dict.fromkeys(shown, 1) or None
    with driver_errors():
        return await mongo.find(
            spec.name, {by: {"$in": wanted}}, projection=projection, batch_size=len(wanted) + 1
        )


def missing(spec: Spec) -> NotFound:
    return NotFound(f"{spec.noun} not found")


def replaced(before: Document, sent: Document) -> Document:
    after = {**before, **sent}
    return {name: value for name, value in after.items() if value is not None}


def validated(model: type[Body], fields: Document) -> Body:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(error.errors()) from None


# Of which two are the same if they are equal.
PLAIN = (str, datetime, ObjectId, bytes, bool, NoneType)


def same(one: object, other: object) -> bool:
    """As stored: unlike Python, a database tells 1 from 1.0 and from true."""
    if type(one) is type(other) and isinstance(one, PLAIN):
        return one == other
    return bson.encode({"": one}) == bson.encode({"": other})
