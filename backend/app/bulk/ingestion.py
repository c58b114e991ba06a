"""From the request of a bulk call to its response: how its body comes, and what its parameters ask for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import msgspec
from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from backend.app.bodies import is_lines, read
from backend.app.bulk.batches import Batch, items_of, of_array, of_lines
from backend.app.bulk.call import Call
from backend.app.bulk.tally import Tally
from backend.app.db.bulk.crawls import Crawl
from backend.app.db.bulk.items import Item
from backend.app.db.bulk.steps import Steps
from backend.app.db.bulk.writing import Bulk
from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Session, deadline
from backend.app.db.transactions import transaction
from backend.app.errors import Invalid, Unavailable
from backend.app.idempotency import answer_of, answered_once, fingerprint, idempotency_key, response_of
from backend.app.models.bulk import MOST_ATOMIC, MOST_ITEMS, MOST_LISTED, Mode, Report
from backend.app.replies import JSON


class BulkQuery(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    mode: Mode = "replace"
    """Whether an item takes the place of what stands, or is merged into it (RFC 7396)."""
    report: Report | None = None
    """Which items the answer lists: all of an array; of lines those rejected, 1,000 at most."""
    dry_run: bool = False
    """Answer the same and write nothing. Of at most 10,000 items."""
    atomic: bool = False
    """All items or none: a bad one is 422, and nothing is written. An array of at most 1,000."""


@dataclass(frozen=True)
class Room:
    """How much a worker takes on at once; what is more waits its turn."""

    arrays: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 4))
    batches: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 4))


async def ingested(
    request: Request, collection: Collection, query: BulkQuery, crawl: Crawl | None = None
) -> Response:
    settings, room = request.app.state.settings, request.app.state.room
    streamed = is_lines(request)
    key = idempotency_key(request)
    if query.dry_run:
        # Nothing happens that could happen twice.
        key = None
    if crawl and key is None:
        # Else the call may be through, and is answered again although its run has ended.
        crawl.require_open()
    bulk = Bulk(collection, query.mode, crawl=crawl, dry=query.dry_run)
    report = query.report or ("rejected" if streamed else "all")
    call = Call(bulk, Tally(collection.spec, report, MOST_LISTED if streamed else MOST_ITEMS), room.batches)
    if streamed:
        if query.atomic:
            raise not_atomic()
        most = MOST_ITEMS if query.dry_run else None
        lines = of_lines(request, settings.max_body_bytes, settings.bulk_deadline, most)
        return await one_by_one(request, call, lines, key)
    async with turn(room.arrays, settings.bulk_deadline):
        body = await read(request, settings.max_bulk_bytes, settings.bulk_deadline)
        items = items_of(body, MOST_ATOMIC if query.atomic else MOST_ITEMS)
        if query.atomic:
            return await all_or_none(request, call, items, body, key)
        return await one_by_one(request, call, of_array(items, settings.max_body_bytes), key, body)


async def one_by_one(
    request: Request,
    call: Call,
    batches: AsyncIterator[Batch],
    key: str | None,
    body: bytearray | None = None,
) -> Response:
    if key is None:
        await call.carry_out(batches)
        return response(call.tally)
    this = fingerprint(request)
    if body is not None:
        # An array is known as a whole; of lines, only those that have come.
        await asyncio.to_thread(this.update, body)
    steps = Steps(call.mongo, key, this.digest())
    await steps.begin()
    try:
        if steps.is_new and call.bulk.crawl:
            call.bulk.crawl.require_open()
        await call.carry_out_in_steps(batches, steps)
        if steps.answered:
            return response_of(steps.again(), again=True)
        made = response(call.tally)
        await steps.finish(answer_of(made))
    except BaseException:
        await asyncio.shield(steps.release())
        raise
    return made


async def all_or_none(
    request: Request, call: Call, raws: list[msgspec.Raw], body: bytearray, key: str | None
) -> Response:
    items = [item async for batch in of_array(raws, call.mongo.settings.max_body_bytes) for item in batch]

    async def effect(_: Session | None = None) -> Response:
        await call.bulk.identify(items)
        await call.bulk.settle(items)
        if faults := faults_in(items):
            noun = "fault" if len(faults) == 1 else "faults"
            raise Invalid(f"The request has {len(faults)} {noun}; nothing was written", faults=faults)
        part = call.tally.part(items)
        return response(call.tally.alone(part))

    async with turn(call.slots, call.seconds):
        with deadline(call.seconds):
            if call.bulk.pretence:
                return await effect()
            if key is None:
                with driver_errors():
                    return await transaction(call.mongo, effect, call.seconds)
            return await answered_once(request, key, body, effect, call.seconds)


def response(tally: Tally) -> Response:
    return Response(tally.to_json(), 207 if tally.summary["rejected"] else 200, media_type=JSON)


def faults_in(items: list[Item]) -> list[dict[str, str]]:
    return [
        {**fault, "pointer": f"/{item.index}{fault['pointer']}"} for item in items for fault in item.faults
    ]


def not_atomic() -> Invalid:
    fault = {"pointer": "/query/atomic", "detail": "Only an array can be atomic", "code": "not_atomic"}
    return Invalid("The request has 1 fault", faults=[fault])


@asynccontextmanager
async def turn(places: asyncio.Semaphore, seconds: float) -> AsyncIterator[None]:
    """Wait for a place, not for ever, and give it back."""
    try:
        await asyncio.wait_for(places.acquire(), seconds)
    except TimeoutError:
        raise Unavailable("Too many bulk calls are under way") from None
    try:
        yield
    finally:
        places.release()
