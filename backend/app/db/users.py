"""Users: made together with their stats, their passwords kept as hashes."""

from functools import partial
from typing import TypeVar

from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Session
from backend.app.db.schema import STATS
from backend.app.db.transactions import kept, transaction
from backend.app.models.base import Body, Document
from backend.app.models.stats import StatsFields
from backend.app.passwords import hashed

U = TypeVar("U", bound=Body)


class Users(Collection):
    async def add(self, body: Body) -> Document:
        user = self.born((await self._hashed(body)).stored())
        stats = Collection(self.mongo, STATS)
        born = stats.born({"user_id": user["_id"], **StatsFields().stored()})
        born["created_at"] = user["created_at"]

        async def both(session: Session) -> None:
            # The stats first: the first write of a transaction that nobody could abort, because the database
            # stalled, is locked for a while, and nobody else can want this one.
            await stats.documents.insert_one(born, session=session)
            await self.documents.insert_one(user, session=session)

        with driver_errors(), self.taken():
            await transaction(self.mongo, both)
        return user

    async def change(self, key: ObjectId, change: Body, if_match: str | None = None) -> Document:
        return await super().change(key, await self._hashed(change), if_match)

    async def _hashed(self, body: U) -> U:
        """The body with the hash in place of the password."""
        password = body.sent().get("password")
        if password is None:
            return body
        # Half of a request's time is for the database.
        wait = self.mongo.settings.request_deadline / 2
        found = await kept("password hash", partial(hashed, password, wait))
        return body.model_copy(update={"password": found})
