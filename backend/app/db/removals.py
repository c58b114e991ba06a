"""What was removed lately, kept until no request that began before can still add a child to it.

A child that is added while its parent goes is taken along by whichever of the two comes second. Should both
be killed between their two steps, this is what remembers that somebody has to look again.
"""

from datetime import UTC, datetime, timedelta

from bson import ObjectId
from pymongo import UpdateOne

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo
from backend.app.db.schema import JOBS, REMOVALS, REMOVED_JOBS, TABLE
from backend.app.models.base import now

# Requests that a process had begun when it was killed are over long before, whatever their deadline.
DEADLINES_TO_WAIT = 4
AT_ONCE = 500


async def sweep(mongo: Mongo, *, recent: bool) -> None:
    """Take along the children that came too late, and forget the removals that no child can follow any more.

    A recent removal is looked at only when asked to, by a process that has just started, perhaps after a
    crash. Each is looked at once it is old, and then forgotten.
    """
    old = {"_id": {"$lt": before_all_requests(mongo)}}
    removals = mongo[REMOVALS.name]
    with driver_errors():
        while found := await mongo.find(
            REMOVALS.name, {} if recent else old, sort=[("_id", 1)], limit=AT_ONCE
        ):
            for spec in TABLE:
                gone = [removal["document"] for removal in found if removal["collection"] == spec.name]
                if gone:
                    await Collection(mongo, spec).remove_children(gone)
                if gone and spec is JOBS:
                    await _remember(mongo, gone)
            handled = {"$in": [removal["_id"] for removal in found]}
            forgotten = await removals.delete_many({"$and": [{"_id": handled}, old]})
            if forgotten.deleted_count < AT_ONCE:
                return


def before_all_requests(mongo: Mongo) -> ObjectId:
    """An id of a time before which no request began that is still under way."""
    return ObjectId.from_datetime(datetime.now(UTC) - time_of_all_requests(mongo))


def time_of_all_requests(mongo: Mongo) -> timedelta:
    """After which every request that was under way is over."""
    longest = max(mongo.settings.request_deadline, mongo.settings.bulk_deadline)
    return timedelta(seconds=DEADLINES_TO_WAIT * longest)


async def _remember(mongo: Mongo, jobs: list[ObjectId]) -> None:
    """For counts that were made while they were there."""
    update = {"$set": {"at": now()}}
    writes = [UpdateOne({"_id": job}, update, upsert=True) for job in jobs]
    await mongo.write(REMOVED_JOBS.name, "bulk_write", writes, ordered=False)
