"""Ingest runs: what a crawl of one source saw, and what becomes of the postings that it did not see.

A batch notes what it saw before it looks whether its run is open. Completing a run shuts it before looking at
what was seen. So one of the two always knows of the other, and no posting that a batch answers for is closed
by its run.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from bson import MaxKey, MinKey, ObjectId
from pymongo import ReturnDocument, UpdateOne

from backend.app.db.ambient import joined
from backend.app.db.collection import Collection, missing
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Session, deadline
from backend.app.db.schema import JOBS, SIGHTINGS, in_order_of_ids
from backend.app.db.transactions import transaction
from backend.app.errors import Failure, RunNotOpen, TooManyToClose
from backend.app.models.base import REVISION, Body, Document, now

# Half as long as sightings are kept: none is missed because it was forgotten.
OLDEST = timedelta(days=7)
MOST_REJECTED = 100
LONGEST_NAME = 255
POSTINGS_AT_ONCE = 1000
NOTES_AT_ONCE = 5000

# What a run holds while it is completed, and no client sees.
ROUND = "round"
"""How often completing it was begun: a count belongs to its round."""
DECIDED = "decided"
"""It was found to close no more than it may, and from here on goes through with it."""

log = logging.getLogger(__name__)


class Runs(Collection):
    async def add(self, body: Body) -> Document:
        run = self.born({**body.stored(), "status": "open"})
        await self.insert(run)
        return run

    async def require_open(self, run_id: ObjectId, session: Session | None = None) -> None:
        """Without what the run holds of rejected items: it is asked with each batch."""
        with driver_errors():
            run = await self.documents.find_one({"_id": run_id}, {"status": 1}, session=session or joined())
        if run is None:
            raise missing(self.spec)
        check_open(run)

    async def saw(
        self, run_id: ObjectId, job_ids: Iterable[ObjectId], session: Session | None = None
    ) -> None:
        seen = {"$set": {"at": now()}}
        notes = [UpdateOne({"_id": _sighting(run_id, job)}, seen, upsert=True) for job in set(job_ids)]
        if notes:
            with driver_errors():
                await self.mongo.write(SIGHTINGS.name, "bulk_write", notes, ordered=False, session=session)

    async def add_counts(
        self,
        run_id: ObjectId,
        summary: Mapping[str, int],
        rejected: Sequence[Mapping[str, Any]],
        session: Session | None = None,
    ) -> None:
        """Add what a batch came to.

        Always a write: it keeps a batch in a transaction, whose sightings nobody else sees yet, from
        standing beside a completion that began meanwhile.
        """
        update: Document = {"$inc": {REVISION: 1, **{f"counts.{name}": n for name, n in summary.items()}}}
        if rejected:
            first = [_remembered(item) for item in rejected[:MOST_REJECTED]]
            update["$push"] = {"rejected_items": {"$each": first, "$slice": MOST_REJECTED}}
        with driver_errors():
            await self.write("update_one", {"_id": run_id}, update, session=session)

    async def complete(self, run_id: ObjectId, max_close_ratio: float) -> Document:
        """Close what the run did not see. Several at once help each other; one that broke off is taken up."""
        while True:
            run = await self._begun(run_id)
            if run["status"] == "completed":
                return run
            if run.get(DECIDED) or await self._decide(run, max_close_ratio):
                await self._close_unseen(run)
                await self._end(run)

    async def abort(self, run_id: ObjectId) -> Document:
        """End a run that closes nothing."""
        undecided = {"_id": run_id, "status": {"$in": ["open", "completing"]}, DECIDED: None}
        with self._step():
            aborted = await self._move(undecided, {"status": "aborted", "ended_at": now()})
            run = aborted or await self.get(run_id)
        if run["status"] != "aborted":
            raise RunNotOpen(f"The run is {run['status']}")
        await self._forget_sightings(run_id)
        return run

    async def _begun(self, run_id: ObjectId) -> Document:
        """The run, shut to batches; or as it is, if it is completed."""
        while True:
            with self._step():
                run = await self.get(run_id)
                if run["status"] == "completed":
                    return run
                if run["status"] == "aborted":
                    raise RunNotOpen("The run is aborted")
                if run["created_at"] < now() - OLDEST:
                    raise RunNotOpen(f"The run is older than {OLDEST.days} days: open another")
                if run["status"] == "completing":
                    return run
                mine = {"_id": run_id, "status": "open"}
                if begun := await self._move(mine, {"status": "completing"}, {ROUND: 1}):
                    return begun

    async def _decide(self, run: Document, max_close_ratio: float) -> bool:
        """Whether to go through with it; if not, somebody else was faster, and it is as they left it."""
        active = unseen = 0
        async for ids in self._active(run):
            active += len(ids)
            unseen += len(await self._unseen(run, ids))
        undecided = {"_id": run["_id"], "status": "completing", ROUND: run[ROUND], DECIDED: None}
        # Divided, and not multiplied: exactly at the ratio is equal to it, down to the last bit.
        too_many = active > 0 and unseen / active > max_close_ratio
        onward: Document = {"status": "open"} if too_many else {DECIDED: True, "closed": 0}
        with self._step():
            moved = await self._move(undecided, onward)
        if moved and too_many:
            raise TooManyToClose(active, unseen)
        return moved is not None

    async def _close_unseen(self, run: Document) -> None:
        async for ids in self._active(run):
            unseen = await self._unseen(run, ids)
            if not unseen:
                continue
            with self._step():
                close, seconds = partial(self._close, run, unseen), self.mongo.settings.bulk_deadline
                if not await transaction(self.mongo, close, seconds):
                    return

    async def _close(self, run: Document, unseen: list[ObjectId], session: Session) -> bool:
        """Close some postings and count them, unless somebody else has ended the run.

        Its sightings are gone then, and every posting would look unseen.
        """
        still = {"_id": run["_id"], "status": "completing", DECIDED: True}
        if await self.documents.find_one(still, {"_id": 1}, session=session) is None:
            return False
        active = {"_id": {"$in": unseen}, "is_active": True, "source_platform": run["source_platform"]}
        close = {"$set": {"is_active": False, "updated_at": now()}, "$inc": {REVISION: 1}}
        closed = await self.mongo.write(JOBS.name, "update_many", active, close, session=session)
        count = {"$inc": {"closed": closed.modified_count, REVISION: 1}}
        await self.write("update_one", {"_id": run["_id"]}, count, session=session)
        return True

    async def _end(self, run: Document) -> None:
        decided = {"_id": run["_id"], "status": "completing", DECIDED: True}
        with self._step():
            ended = await self._move(decided, {"status": "completed", "ended_at": now()})
        if ended is not None:
            await self._forget_sightings(run["_id"])

    async def _active(self, run: Document) -> AsyncIterator[list[ObjectId]]:
        """The active postings of the run's source, in order of their ids, some at a time."""
        mine: Document = {"source_platform": run["source_platform"], "is_active": True}
        while True:
            with self._step():
                found = await self.mongo.find(
                    JOBS.name,
                    mine,
                    projection={"_id": 1},
                    sort=[("_id", 1)],
                    hint=list(in_order_of_ids(("source_platform", "is_active"))),
                    limit=POSTINGS_AT_ONCE,
                )
            if not found:
                return
            yield [posting["_id"] for posting in found]
            mine["_id"] = {"$gt": found[-1]["_id"]}

    async def _unseen(self, run: Document, ids: list[ObjectId]) -> list[ObjectId]:
        notes = [_sighting(run["_id"], job) for job in ids]
        with self._step():
            found = await self.mongo.find(SIGHTINGS.name, {"_id": {"$in": notes}}, projection={"_id": 1})
        seen = {note["_id"]["job"] for note in found}
        return [job for job in ids if job not in seen]

    async def _forget_sightings(self, run_id: ObjectId) -> None:
        mine = {"_id": {"$gt": _sighting(run_id, MinKey()), "$lt": _sighting(run_id, MaxKey())}}
        try:
            while True:
                with self._step():
                    some = await self.mongo.find(
                        SIGHTINGS.name, mine, projection={"_id": 1}, sort=[("_id", 1)], limit=NOTES_AT_ONCE
                    )
                    if not some:
                        return
                    these = {"_id": {"$gte": some[0]["_id"], "$lte": some[-1]["_id"]}}
                    await self.mongo.write(SIGHTINGS.name, "delete_many", these)
        except Failure as failure:
            # The run has ended all the same, and in time they go by themselves.
            log.info("Sightings stay for a while: %s: %s", failure.code, failure.reason)

    async def _move(
        self, where: Document, fields: Document, steps: Mapping[str, int] | None = None
    ) -> Document | None:
        """From one state to the next, or nothing if it is not in that state any more."""
        change = {"$set": fields, "$inc": {REVISION: 1, **(steps or {})}}
        moved: Document | None = await self.write(
            "find_one_and_update", where, change, return_document=ReturnDocument.AFTER
        )
        return moved

    @contextmanager
    def _step(self) -> Iterator[None]:
        with deadline(self.mongo.settings.bulk_deadline), driver_errors():
            yield


def check_open(run: Document) -> None:
    if run["status"] != "open":
        raise RunNotOpen(f"The run is {run['status']}")


def _sighting(run_id: ObjectId, job: ObjectId | MinKey | MaxKey) -> Document:
    return {"run": run_id, "job": job}


def _remembered(item: Mapping[str, Any]) -> Document:
    name: str | None = item["external_id"]
    # It may have been refused for its length.
    return {"index": item["index"], "external_id": name and name[:LONGEST_NAME], "errors": item["errors"]}
