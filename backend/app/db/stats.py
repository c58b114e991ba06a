"""Stats: worked out from what users did and from their matches, for many users in one go."""

from collections.abc import Collection as Many
from collections.abc import Iterable

from bson import ObjectId
from pymongo import UpdateOne

from backend.app.db.collection import find_all
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.schema import INTERACTIONS, MATCHES, STATS
from backend.app.db.transactions import pause
from backend.app.models.base import REVISION, Document, now

USERS_AT_A_TIME = 500
STAMP = "calculation"
"""Of the stats: who wrote them last, for whom it may concern whether it was they."""
# What each type of interaction adds up to.
COUNTED = {"viewed": "jobs_viewed", "saved": "jobs_saved"}


async def recalculate(mongo: Mongo, users: Iterable[ObjectId]) -> None:
    """Make the stats of some users true: each lot read and written in one go."""
    listed = list(users)
    for start in range(0, len(listed), USERS_AT_A_TIME):
        with deadline(mongo.settings.bulk_deadline):
            await _recalculate(mongo, set(listed[start : start + USERS_AT_A_TIME]))


async def _recalculate(mongo: Mongo, pending: set[ObjectId]) -> None:
    """A write lands only on the revision that was read before anything was counted.

    So nobody who counted earlier writes later; and to write always, be it the same again, is what tells them.
    """
    attempt = 0
    while pending:
        standing = await find_all(mongo, STATS, "user_id", pending, "user_id", REVISION)
        counts = await _counts(mongo, pending)
        skills = await _missing_skills(mongo, pending)
        stamp = ObjectId()
        updates = [
            _update(stats, counts.get(stats["user_id"], {}), skills.get(stats["user_id"]), stamp)
            for stats in standing
        ]
        if not updates:
            return
        with driver_errors():
            done = await mongo.write(STATS.name, "bulk_write", updates, ordered=False)
        if done.matched_count == len(updates):
            return
        written = await find_all(mongo, STATS, "user_id", pending, "user_id", STAMP)
        pending = {stats["user_id"] for stats in written if stats.get(STAMP) != stamp}
        await pause(attempt)
        attempt += 1


def _update(stats: Document, counts: Document, skill: str | None, stamp: ObjectId) -> UpdateOne:
    fields: Document = {name: counts.get(kind, 0) for kind, name in COUNTED.items()}
    fields |= {"last_calculated": now(), STAMP: stamp}
    update: Document = {"$set": fields, "$inc": {REVISION: 1}}
    if skill is None:
        update["$unset"] = {"top_missing_skill": ""}
    else:
        fields["top_missing_skill"] = skill
    return UpdateOne({"_id": stats["_id"], REVISION: stats.get(REVISION)}, update)


async def _counts(mongo: Mongo, users: Many[ObjectId]) -> dict[ObjectId, dict[str, int]]:
    """How many interactions of each type."""
    kinds: Document = {"user": "$user_id", "type": "$interaction_type"}
    with driver_errors():
        found = await mongo.aggregate(
            INTERACTIONS.name,
            [
                {"$match": {"user_id": {"$in": list(users)}}},
                {"$group": {"_id": kinds, "count": {"$sum": 1}}},
            ],
        )
    counts: dict[ObjectId, dict[str, int]] = {}
    for group in found:
        counts.setdefault(group["_id"]["user"], {})[group["_id"]["type"]] = group["count"]
    return counts


async def _missing_skills(mongo: Mongo, users: Many[ObjectId]) -> dict[ObjectId, str]:
    """The skill that most of a user's active matches miss; of several, the first by name."""
    active: Document = {"user_id": {"$in": list(users)}, "is_active": True}
    skill: Document = {"user": "$user_id", "skill": "$skill"}
    with driver_errors():
        found = await mongo.aggregate(
            MATCHES.name,
            [
                {"$match": active},
                # Each counts once for a match, however often that names it.
                {"$project": {"user_id": 1, "skill": {"$setUnion": ["$match_details.skills_missing"]}}},
                {"$unwind": "$skill"},
                {"$group": {"_id": skill, "count": {"$sum": 1}}},
                {"$sort": {"count": -1, "_id.skill": 1}},
                {"$group": {"_id": "$_id.user", "skill": {"$first": "$_id.skill"}}},
            ],
        )
    return {group["_id"]: group["skill"] for group in found}
