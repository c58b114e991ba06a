"""Bulk calls under an Idempotency-Key: taken up where they broke off, answered again once they are through.

Each batch is one transaction with the note of what it came to, and with the proof that the call still belongs
to who began it or took it up. So a batch and its note stand or fall together, and nobody does one again.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from bson import MaxKey, MinKey, ObjectId
from pymongo.errors import DuplicateKeyError

from backend.app.db.answers import Answer
from backend.app.db.bulk.items import Item
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.schema import ANSWERS, STEPS
from backend.app.errors import Failure, InProgress, KeyReused
from backend.app.models.base import Document, now

# Who has not made a step for so long is taken for dead; if it is not, its next step fails.
LEASE = timedelta(seconds=10)
FREE = timedelta()


@dataclass(frozen=True)
class Part:
    """What one batch came to, and what is told of it."""

    summary: Mapping[str, int]
    listed: int
    told: bytes
    truncated: bool


class Steps:
    def __init__(self, mongo: Mongo, key: str, request: bytes) -> None:
        self.mongo = mongo
        self.key = key
        self.request = request
        """Tells the call from others, but for lines, which come bit by bit."""
        self.call = self.holder = ObjectId()
        """Whose steps they are, whoever makes them: the key may be another call's by the time they expire."""
        self.answered: Document | None = None
        """The record of a call that is through: what is left is to see that this is the same."""
        self._taken_up = False
        self._begun = False
        """A step of it may stand."""
        self._number = 0
        self._body = blake2b(digest_size=16)

    @property
    def is_new(self) -> bool:
        return self.answered is None and not self._begun

    async def begin(self) -> None:
        """Hold the call, from its beginning or from where it broke off, or find that it is through."""
        this = {"_id": self.key, "request": self.request, "call": self.call}
        fresh = {**this, "at": now(), **self._lease(LEASE)}
        with self._asked():
            try:
                await self.mongo.write(ANSWERS.name, "insert_one", fresh)
            except DuplicateKeyError:
                await self._take_up()

    async def advance(self, items: Iterable[Item]) -> Part | None:
        """Go on to a batch; what it came to, if it is done."""
        self._number += 1
        for item in items:
            self._body.update(len(item.raw).to_bytes(8) + item.raw)
        if self.answered or not self._taken_up:
            return None
        with self._asked():
            noted = await self.mongo[STEPS.name].find_one({"_id": self._step(self._number)})
        if noted is None:
            self._taken_up = False
            return None
        if noted["body"] != self._body.digest():
            raise KeyReused
        return Part(**noted["part"])

    async def note(self, part: Part) -> None:
        """In the transaction of the batch."""
        step = {"_id": self._step(self._number), "body": self._body.digest(), "at": now()}
        self._begun = True
        with driver_errors():
            # Not before: until the commit nobody else can change it. Who has lost it may find the step made.
            await self._keep(self._lease(LEASE))
            await self.mongo.write(STEPS.name, "insert_one", step | {"part": vars(part)})

    async def finish(self, answer: Answer) -> None:
        """Keep the answer; what it was put together from is not needed any more."""
        with self._asked():
            if self._taken_up and await self.mongo[STEPS.name].find_one(
                {"_id": self._step(self._number + 1)}
            ):
                # There was more of it when it broke off.
                raise KeyReused
            fields = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
            await self._keep({**fields, "sent": self._body.digest()})
            mine = {"$gt": self._step(MinKey()), "$lt": self._step(MaxKey())}
            await self.mongo.write(STEPS.name, "delete_many", {"_id": mine})

    async def release(self) -> None:
        """Let it be taken up at once, by whoever tries again; what has done nothing leaves the key free."""
        with suppress(Failure), self._asked():
            if self._begun:
                await self._keep(self._lease(FREE))
            else:
                await self.mongo.write(ANSWERS.name, "delete_one", self._mine)

    def again(self) -> Answer:
        """The answer there was, if this is the same call to the last byte."""
        found = self.answered
        if found is None or found["sent"] != self._body.digest():
            raise KeyReused
        return Answer(found["status"], found["headers"], found["body"])

    async def _take_up(self) -> None:
        found = await self.mongo[ANSWERS.name].find_one({"_id": self.key}) or {}
        if found.get("request") != self.request:
            raise KeyReused if found else InProgress
        if "status" in found:
            self.answered = found
            return
        # Its holder may wake up and be through just now.
        over = {"_id": self.key, "holder": found["holder"], "until": {"$lte": now()}, "status": None}
        taken = await self.mongo.write(ANSWERS.name, "update_one", over, {"$set": self._lease(LEASE)})
        if not taken.matched_count:
            raise InProgress
        self.call, self._taken_up, self._begun = found["call"], True, True

    async def _keep(self, fields: Document) -> None:
        kept = await self.mongo.write(ANSWERS.name, "update_one", self._mine, {"$set": fields})
        if not kept.matched_count:
            raise InProgress

    @property
    def _mine(self) -> Document:
        return {"_id": self.key, "holder": self.holder}

    def _lease(self, time: timedelta) -> Document:
        return {"holder": self.holder, "until": now() + time}

    def _step(self, number: int | MinKey | MaxKey) -> Document:
        return {"call": self.call, "step": number}

    @contextmanager
    def _asked(self) -> Iterator[None]:
        with deadline(self.mongo.settings.request_deadline), driver_errors():
            yield
