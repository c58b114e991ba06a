"""Stats: worked out from what a user did and from their matches, when they are read after an event."""

import asyncio
from typing import Any

from bson import ObjectId
from pymongo import ReturnDocument

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.marks import EVENTS, STALE
from backend.app.db.mongo import Mongo
from backend.app.db.removals import before_all_requests
from backend.app.db.schema import INTERACTIONS
from backend.app.db.skills import top_missing
from backend.app.db.transactions import pause
from backend.app.models.base import REVISION, Document, now

# What each type of interaction adds up to.
COUNTED = {
    "viewed": "jobs_viewed",
    "saved": "jobs_saved",
    "applied": "jobs_applied",
    "rejected": "jobs_rejected",
    "withdrawn": "jobs_withdrawn",
}


class Stats(Collection):
    """One for each user, true whenever read; what was written by hand stands until the next event."""

    async def get(self, key: ObjectId) -> Document:
        stats = await super().get(key)
        return await self._renewed(stats) if is_marked(stats) else stats

    async def recalculate(self, key: ObjectId) -> Document:
        """Work them out as after an event: what was written by hand goes."""
        with driver_errors():
            await self.write(
                "update_one", {self.spec.key: key}, {"$set": {STALE: True}, "$inc": {REVISION: 1}}
            )
        return await self.get(key)

    async def verified(self, key: ObjectId) -> tuple[Document, Document]:
        """The stats, and where they differ from what there is to be counted."""
        attempt = 0
        while True:
            stats = await self.get(key)
            found = drift(stats, await count(self.mongo, key))
            if not found or await self._stand(stats):
                return stats, found
            # Something has happened meanwhile.
            await pause(attempt)
            attempt += 1

    async def _stand(self, stats: Document) -> bool:
        """Whether they would be read as they are once more."""
        stored = await super().get(stats["user_id"])
        return stored.get(REVISION) == stats.get(REVISION) and not is_marked(stored)

    async def _renewed(self, stats: Document) -> Document:
        """Counted now. It is kept if nothing has happened since it was read; else the next reader counts."""
        counted = await count(self.mongo, stats["user_id"])
        over = before_all_requests(self.mongo)
        is_over = STALE in stats or any(one < over for one in stats.get(EVENTS, ()))
        if not is_over and not drift(stats, counted):
            # An event is under way, and has not shown yet.
            return stats
        fields = {name: value for name, value in counted.items() if value is not None}
        fields["last_calculated"] = now()
        absent = [name for name in counted if name not in fields]
        update = {
            "$set": fields,
            "$unset": dict.fromkeys((STALE, *absent), ""),
            "$pull": {EVENTS: {"$lt": over}},
            "$inc": {REVISION: 1},
        }
        this = {"_id": stats["_id"], REVISION: stats.get(REVISION)}
        with driver_errors():
            kept: Document | None = await self.write(
                "find_one_and_update", this, update, return_document=ReturnDocument.AFTER
            )
        others = {name: value for name, value in stats.items() if name not in absent}
        return kept or {**others, **fields}


def is_marked(stats: Document) -> bool:
    # Those of a service that did not count all of this were not made by it either.
    return bool(STALE in stats or stats.get(EVENTS)) or not stats.keys() >= set(COUNTED.values())


def drift(stats: Document, counted: Document) -> Document:
    """Each field that is not what was counted, with both."""
    return {
        name: {"stored": stats.get(name), "counted": value}
        for name, value in counted.items()
        if stats.get(name) != value
    }


async def count(mongo: Mongo, user: ObjectId) -> Document:
    kinds, skill = await asyncio.gather(_kinds(mongo, user), top_missing(mongo, user))
    counts: dict[str, Any] = {name: kinds.get(kind, 0) for kind, name in COUNTED.items()}
    return {**counts, "top_missing_skill": skill}


async def _kinds(mongo: Mongo, user: ObjectId) -> dict[str, int]:
    """How many interactions of each type."""
    by_type: list[Document] = [
        {"$match": {"user_id": user}},
        {"$group": {"_id": "$interaction_type", "count": {"$sum": 1}}},
    ]
    with driver_errors():
        found = await mongo.aggregate(INTERACTIONS.name, by_type)
    return {group["_id"]: group["count"] for group in found}
