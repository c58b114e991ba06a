"""Answers that take long to work out: over small collections the truth at once, over large ones kept a while.

What is kept is shared by all workers. One of them at a time works it out anew, apart from any request, under
a lease that ends by itself should that worker be killed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.schema import STANDING, Spec
from backend.app.errors import Failure, Unavailable
from backend.app.models.base import Document, now

# Of the time that a request has, how much it spends on waiting for an answer that is worked out anew.
PATIENCE = 0.6
PAUSE = 20
SECONDS_BETWEEN_LOOKS = 0.1
# Whoever has failed leaves it to the others for so long.
SECONDS_AFTER_A_FAILURE = 2.0

Work = Callable[[], Awaitable[Document]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    document: Document
    as_of: datetime
    """When working it out began."""
    stands: timedelta = timedelta()
    """How old it may be without anybody waiting for a newer one."""

    def is_older(self, share: float) -> bool:
        """Than that share of the time for which it stands."""
        return self.as_of <= now() - share * self.stands


@dataclass
class Standing:
    """Each answer has a name out of a closed set. What it is made of is stored as it is."""

    mongo: Mongo
    few: int = 10_000
    """Up to so many documents in all, an answer is worked out for each request."""
    fresh: timedelta = timedelta(seconds=60)
    """How long an answer stands, or `PAUSE` times as long as it took: so little of the time goes into it."""
    seconds: float = 60.0
    """How long working one out may take."""
    known: dict[str, Answer] = field(default_factory=dict)
    """What this worker has answered last, for when the database is away."""
    _under_way: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def answer(
        self, name: str, over: Sequence[Spec], work: Work, patience: float | None = None
    ) -> Answer:
        """What `work` comes to, going over these collections; rather an old answer than one out of time."""
        began = now()
        if await self._are_few(over):
            answer = Answer(await work(), began)
        else:
            answer = await self._standing(name, work, patience)
        self.known[name] = answer
        return answer

    async def settled(self) -> None:
        """Until nothing is being worked out here."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def close(self) -> None:
        for task in self._under_way.values():
            task.cancel()
        await self.settled()

    async def _are_few(self, over: Sequence[Spec]) -> bool:
        with driver_errors():
            counts = [await self.mongo[spec.name].estimated_document_count() for spec in over]
        return sum(counts) <= self.few

    async def _standing(self, name: str, work: Work, patience: float | None) -> Answer:
        kept = await self._kept(name)
        if kept is None or kept.is_older(0.5):
            renewal = self._renewal(name, work)
            if kept is None or kept.is_older(1):
                if patience is None:
                    patience = PATIENCE * self.mongo.settings.request_deadline
                # It goes on when patience is at its end.
                await asyncio.wait({renewal}, timeout=patience)
                kept = await self._kept(name) or kept
        if kept is None:
            raise Unavailable("This takes a while to work out; ask again")
        return kept

    async def _kept(self, name: str) -> Answer | None:
        with driver_errors():
            found = await self.mongo.find(STANDING.name, {"_id": name, "answer": {"$exists": True}})
        if not found:
            return None
        stands = max(self.fresh, PAUSE * timedelta(seconds=found[0]["took"]))
        return Answer(found[0]["answer"], found[0]["at"], stands)

    def _renewal(self, name: str, work: Work) -> "asyncio.Task[None]":
        task = self._under_way.get(name)
        if task is None:
            # Apart from the request: from its deadline, its transaction and its id.
            task = asyncio.create_task(self._renew(name, work), context=Context())
            self._under_way[name] = task
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        return task

    async def _renew(self, name: str, work: Work) -> None:
        """Work it out anew, or wait for whoever does."""
        try:
            with deadline(self.seconds):
                while (kept := await self._kept(name)) is None or kept.is_older(0.5):
                    if holder := await self._lease(name):
                        await self._work_out(name, work, holder)
                        return
                    await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        except Failure as failure:
            log.warning("The answer %r cannot be renewed: %s: %s", name, failure.detail, failure.reason)

    async def _lease(self, name: str) -> ObjectId | None:
        """The right to work it out, unless another has it or has just done so."""
        holder, present = ObjectId(), now()
        free = {
            "_id": name,
            "leased_until": {"$not": {"$gt": present}},
            "at": {"$not": {"$gt": present - self.fresh / 2}},
        }
        lease = {"holder": holder, "leased_until": present + timedelta(seconds=self.seconds)}
        with driver_errors():
            try:
                await self.mongo.write(STANDING.name, "update_one", free, {"$set": lease}, upsert=True)
            except DuplicateKeyError:
                return None
        return holder

    async def _work_out(self, name: str, work: Work, holder: ObjectId) -> None:
        """Only who still holds the lease puts an answer down: else it is older than what stands."""
        began, document = now(), None
        try:
            document = await work()
        finally:
            update: Document = {
                "$set": {"answer": document, "at": began, "took": (now() - began).total_seconds()},
                "$unset": {"holder": "", "leased_until": ""},
            }
            if document is None:
                update = {"$set": {"leased_until": now() + timedelta(seconds=SECONDS_AFTER_A_FAILURE)}}
            with driver_errors():
                await self.mongo.write(STANDING.name, "update_one", {"_id": name, "holder": holder}, update)
