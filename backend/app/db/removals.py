"""What was removed lately, kept until no request that began before can still add a child to it.

A child that is added while its parent goes is taken along by whichever of the two comes second. Should both
be killed between their two steps, this is what remembers that somebody has to look again.
"""

from datetime import UTC, datetime, timedelta

from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo
from backend.app.db.schema import REMOVALS, TABLE

# Requests that a process had begun when it was killed are over long before, whatever their deadline.
DEADLINES_TO_WAIT = 4
AT_ONCE = 500


async def sweep(mongo: Mongo, *, recent: bool) -> None:
    """Take along the children that came too late, and forget the removals that no child can follow any more.

    A recent removal is looked at only when asked to, by a process that has just started, perhaps after a
    crash. Each is looked at once it is old, and then forgotten.
    """
    longest = max(mongo.settings.request_deadline, mongo.settings.bulk_deadline)
    wait = timedelta(seconds=DEADLINES_TO_WAIT * longest)
    old = {"_id": {"$lt": ObjectId.from_datetime(datetime.now(UTC) - wait)}}
    removals = mongo[REMOVALS.name]
    with driver_errors():
        while found := await mongo.find(
            REMOVALS.name, {} if recent else old, sort=[("_id", 1)], limit=AT_ONCE
        ):
            for spec in TABLE:
                gone = [removal["document"] for removal in found if removal["collection"] == spec.name]
                if gone:
                    await Collection(mongo, spec).remove_children(gone)
            handled = {"$in": [removal["_id"] for removal in found]}
            forgotten = await removals.delete_many({"$and": [{"_id": handled}, old]})
            if forgotten.deleted_count < AT_ONCE:
                return
