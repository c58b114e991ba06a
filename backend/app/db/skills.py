"""Skills that a user's active matches miss: which one comes first, and what each would open."""

from bson import ObjectId

from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo
from backend.app.db.schema import MATCHES
from backend.app.models.base import Document

MISSING = "$match_details.skills_missing"
DIGITS_OF_A_MEAN = 4


def active_matches(user: ObjectId) -> Document:
    return {"$match": {"user_id": user, "is_active": True}}


# Each counts once for a match, however often that names it.
SKILL_BY_SKILL: list[Document] = [
    {"$project": {"relevancy_score": 1, "skill": {"$setUnion": [{"$ifNull": [MISSING, []]}]}}},
    {"$set": {"is_only": {"$eq": [{"$size": "$skill"}, 1]}}},
    {"$unwind": "$skill"},
    {
        "$group": {
            "_id": "$skill",
            "matches": {"$sum": 1},
            "mean_score": {"$avg": "$relevancy_score"},
            "only_missing": {"$sum": {"$cond": ["$is_only", 1, 0]}},
        }
    },
]


async def top_missing(mongo: Mongo, user: ObjectId) -> str | None:
    """The skill that most of a user's active matches miss; of several, the first by name."""
    first: list[Document] = [{"$sort": {"matches": -1, "_id": 1}}, {"$limit": 1}]
    with driver_errors():
        found = await mongo.aggregate(MATCHES.name, [active_matches(user), *SKILL_BY_SKILL, *first])
    return found[0]["_id"] if found else None


def gap(user: ObjectId, limit: int) -> list[Document]:
    """The pipeline that `skill_gap` asks for."""
    by_worth = {"matches": -1, "mean_score": -1, "_id": 1}
    shown = {"skill": "$_id", **{name: "$" + name for name in ("matches", "mean_score", "only_missing")}}
    skills: list[Document] = [
        *SKILL_BY_SKILL,
        # Before they are sorted: those that look the same come by name.
        {"$set": {"mean_score": {"$round": ["$mean_score", DIGITS_OF_A_MEAN]}}},
        {"$sort": by_worth},
        {"$limit": limit},
        {"$replaceWith": shown},
    ]
    return [active_matches(user), {"$facet": {"all": [{"$count": "matches"}], "skills": skills}}]


async def skill_gap(mongo: Mongo, user: ObjectId, limit: int) -> Document:
    """The skills that most active matches miss, and how many active matches there are."""
    with driver_errors():
        (found,) = await mongo.aggregate(MATCHES.name, gap(user, limit))
    active = found["all"][0]["matches"] if found["all"] else 0
    return {"user_id": user, "active_matches": active, "skills": found["skills"]}
