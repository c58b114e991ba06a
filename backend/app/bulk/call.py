"""A bulk call from its first batch to its last: the next one is read and checked while one is written."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from functools import partial

from backend.app.bulk.batches import Batch
from backend.app.bulk.tally import Tally
from backend.app.db.bulk.steps import Part, Steps
from backend.app.db.bulk.writing import Bulk
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Session, deadline
from backend.app.db.transactions import transaction

BATCHES_AT_ONCE = 2


class InFlight:
    """A batch on its way."""

    def __init__(self, items: Batch) -> None:
        self.items = items
        self.identified = asyncio.Event()
        self.settled = asyncio.Event()

    async def shares_a_key_with(self, items: Batch) -> bool:
        await self.identified.wait()
        return not {item.key for item in items if item.key}.isdisjoint(item.key for item in self.items)


InFlights = deque[tuple[InFlight, asyncio.Task[None]]]


class Call:
    def __init__(self, bulk: Bulk, tally: Tally, slots: asyncio.Semaphore) -> None:
        self.bulk = bulk
        self.tally = tally
        self.slots = slots
        self.mongo = bulk.mongo
        self.seconds = bulk.mongo.settings.bulk_deadline

    async def carry_out(self, batches: AsyncIterator[Batch]) -> None:
        in_flight: InFlights = deque()

        async def land() -> None:
            batch, task = in_flight[0]
            await task
            in_flight.popleft()
            self.tally.add(self.tally.part(batch.items))

        try:
            async for items in batches:
                if len(in_flight) == BATCHES_AT_ONCE:
                    await land()
                batch = InFlight(items)
                ahead = in_flight[-1][0] if in_flight else None
                in_flight.append((batch, asyncio.create_task(self._settle(batch, ahead))))
            while in_flight:
                await land()
        except Exception:
            # What has begun ends before the answer.
            await asyncio.gather(*(task for _, task in in_flight), return_exceptions=True)
            raise

    async def carry_out_in_steps(self, batches: AsyncIterator[Batch], steps: Steps) -> None:
        """Each batch in one transaction with the note of it, unless there is a note of it already."""
        async for items in batches:
            part = await steps.advance(items)
            if part is None and not steps.answered:
                async with self.slots:
                    with deadline(self.seconds):
                        await self.bulk.identify(items)
                        step = partial(self._step, items, steps)
                        with driver_errors():
                            part = await transaction(self.mongo, step, self.seconds)
            if part is not None:
                self.tally.add(part)

    async def _settle(self, batch: InFlight, ahead: InFlight | None) -> None:
        try:
            async with self.slots:
                with deadline(self.seconds):
                    await self.bulk.identify(batch.items)
                    batch.identified.set()
                    if ahead is not None and await ahead.shares_a_key_with(batch.items):
                        # The last wins, so it has to be the last.
                        await ahead.settled.wait()
                    await self.bulk.settle(batch.items, ahead.settled.wait if ahead else None)
        finally:
            batch.identified.set()
            batch.settled.set()

    async def _step(self, items: Batch, steps: Steps, _: Session) -> Part:
        await self.bulk.settle(items)
        part = self.tally.part(items)
        await steps.note(part)
        return part
