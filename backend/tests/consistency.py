"""What must hold of the data at any time, whatever happened: asked of the database, not of the app."""

from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.db.schema import STATS, TABLE, USERS
from backend.app.db.stats import Stats
from backend.app.models.base import Document


async def orphans(mongo: Mongo) -> list[str]:
    """Children of nobody."""
    found = []
    for spec in TABLE:
        for field, parent in spec.belongs_to.items():
            named: list[ObjectId] = await mongo[spec.name].distinct(field)
            there: list[ObjectId] = await mongo[parent.name].distinct("_id", {"_id": {"$in": named}})
            found += [f"{spec.name}.{field} {one}" for one in set(named) - set(there)]
    return found


async def users_without_stats(mongo: Mongo) -> list[ObjectId]:
    users: list[ObjectId] = await mongo[USERS.name].distinct("_id")
    owners: list[ObjectId] = await mongo[STATS.name].distinct("user_id")
    return list(set(users) - set(owners))


async def drifts(mongo: Mongo) -> list[Document]:
    """Of stats that nobody wrote by hand: what whoever reads them would be told wrong."""
    stats = Stats(mongo, STATS)
    owners: list[ObjectId] = await mongo[STATS.name].distinct("user_id")
    return [drift for owner in owners if (drift := (await stats.verified(owner))[1])]
