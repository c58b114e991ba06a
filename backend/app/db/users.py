"""Users: made together with their stats, their passwords kept as hashes."""

import asyncio
from typing import TypeVar

from argon2 import PasswordHasher
from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.mongo import Session, driver_errors
from backend.app.db.schema import STATS
from backend.app.models.base import Body, Document
from backend.app.models.stats import StatsFields
from backend.app.models.users import UserIn

U = TypeVar("U", bound=Body)

HASHER = PasswordHasher()
# A hash takes 64 MiB and a core for some 50 ms: a flood of them must not take the machine.
HASHES_AT_ONCE = asyncio.Semaphore(2)


class Users(Collection):
    async def add(self, body: Body) -> Document:
        user = self.born((await hashed(body)).stored())
        stats = Collection(self.mongo, STATS)
        born = stats.born({"user_id": user["_id"], **StatsFields().stored()})
        born["created_at"] = user["created_at"]

        async def both(session: Session) -> None:
            await self.documents.insert_one(user, session=session)
            await stats.documents.insert_one(born, session=session)

        with driver_errors(), self.taken():
            await self.mongo.transaction(both)
        return user

    async def change(self, key: ObjectId, change: Body, if_match: str | None = None) -> Document:
        return await super().change(key, await hashed(change), if_match)


async def hashed(body: U) -> U:
    """The body with the hash in place of the password."""
    password = body.password if isinstance(body, UserIn) else body.sent().get("password")
    if password is None:
        return body
    async with HASHES_AT_ONCE:
        return body.model_copy(update={"password": await asyncio.to_thread(HASHER.hash, password)})
