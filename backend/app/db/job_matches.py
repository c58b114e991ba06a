"""Matches: one for each user and posting, the latest taking the place of the one before."""

from functools import partial

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from backend.app.db.ambient import joined
from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.marks import event
from backend.app.db.transactions import StartOver, afterwards
from backend.app.models.base import REVISION, Body, Document


class Matches(Collection):
    async def add(self, body: Body) -> Document:
        document = self.born(body.stored())
        await self._complete(document)
        await self.insert(document)
        await afterwards(partial(self.stay_with_parents, document))
        return document

    async def put(self, body: Body) -> tuple[Document, bool]:
        """Store a match in place of the one for the same user and posting; tells whether it is new."""
        document = self.born(body.stored())
        await self._complete(document)
        stored = await self._put(document)
        if new := stored[REVISION] == 1:
            await afterwards(partial(self.stay_with_parents, stored))
        return stored, new

    async def _put(self, document: Document) -> Document:
        (key,) = self.spec.unique
        # As a literal, so that no value of the client's can be an expression.
        fresh = {name: {"$literal": value} for name, value in document.items()}
        fresh["_id"] = {"$ifNull": ["$_id", document["_id"]]}
        fresh[REVISION] = {"$add": [{"$ifNull": ["$" + REVISION, 0]}, 1]}
        pair = {name: document[name] for name in key}
        async with event(self.mongo, self.spec, [document]):
            while True:
                try:
                    with driver_errors():
                        stored: Document = await self.write(
                            "find_one_and_update",
                            pair,
                            [{"$replaceWith": fresh}],
                            upsert=True,
                            return_document=ReturnDocument.AFTER,
                        )
                except DuplicateKeyError:
                    # Another made it between our look and our insert: the next round replaces that one.
                    if joined() is not None:
                        raise StartOver from None
                    continue
                return stored

    async def _complete(self, document: Document) -> None:
        user, _ = await self.require_parents(document)
        document.setdefault(
            "user_snapshot",
            {
                "preferences_at_match": user.get("preferences", {}),
                "credentials_at_match": user.get("credentials", {}),
            },
        )
