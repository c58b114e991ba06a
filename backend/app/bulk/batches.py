"""The items of a bulk call, batch by batch: out of an array, or out of lines."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec
from fastapi import Request

from backend.app.bodies import lines
from backend.app.db.bulk.items import Item, parts
from backend.app.errors import Invalid, MalformedBody, TooLarge
from backend.app.models.bulk import MOST_ITEMS

# Cut by the items alone, and not by when they arrive: a call that is sent again has the same batches.
ITEMS_IN_A_BATCH = 1_000
BYTES_IN_A_BATCH = 4 * 1024 * 1024

Batch = Sequence[Item]

NO_ITEM = msgspec.Raw()
# With a place for each item that there may be, it stops at the first that is too many. A list would be read
# to its end, and that of 64 MiB of small numbers takes two gigabytes.
_array = msgspec.json.Decoder(
    msgspec.defstruct(
        "Array",
        [(f"item{index}", msgspec.Raw, NO_ITEM) for index in range(MOST_ITEMS)],
        array_like=True,
        forbid_unknown_fields=True,
    )
)
IS_ARRAY = re.compile(rb"[ \t\r\n]*\[")


def items_of(body: bytearray, most: int) -> list[msgspec.Raw]:
    """The items of an array as they were sent: parsed, all of them would take four times the room."""
    if not body:
        raise MalformedBody("The body is empty; a JSON array is expected")
    try:
        places = msgspec.structs.astuple(_array.decode(body))
    except msgspec.ValidationError:
        if IS_ARRAY.match(body):
            raise TooLarge(f"The array has more than {MOST_ITEMS} items") from None
        fault = {"pointer": "", "detail": "Input should be a JSON array", "code": "array_type"}
        raise Invalid("The request has 1 fault", faults=[fault]) from None
    except (msgspec.DecodeError, RecursionError):
        raise MalformedBody("The body is not JSON") from None
    found = list(places[: places.index(NO_ITEM)]) if places[-1] is NO_ITEM else list(places)
    if len(found) > most:
        raise TooLarge(f"The array has more than {most} items")
    return found


async def of_array(raws: Sequence[msgspec.Raw], longest: int) -> AsyncIterator[Batch]:
    """None of them, unless all are JSON: what no strict parser takes leaves nothing behind."""
    cut = Cut()
    first: Batch = []
    for part in parts(_numbered(raws, longest)):
        for item in part:
            if item.status is None:
                item.look()
            first = first or cut.add(item)
        await asyncio.sleep(0)
    if not first:
        yield cut.rest
        return
    # Only looked through: to keep what was found in all of them would take the room that is to be spared.
    cut = Cut()
    for item in _numbered(raws, longest):
        if batch := cut.add(item):
            yield batch
    if cut.rest:
        yield cut.rest


async def of_lines(request: Request, longest: int, seconds: float, most: int | None) -> AsyncIterator[Batch]:
    cut = Cut()
    index = 0
    async for some in lines(request, longest, seconds):
        for line in some:
            if index == most:
                raise TooLarge(f"A dry run takes at most {most} items")
            if batch := cut.add(too_long(index, longest) if line is None else Item(index, line)):
                yield batch
            index += 1
    if cut.rest:
        yield cut.rest


class Cut:
    def __init__(self) -> None:
        self.rest: list[Item] = []
        self._size = 0

    def add(self, item: Item) -> Batch:
        """The batch that is full with this item, if one is."""
        self.rest.append(item)
        self._size += len(item.raw)
        if len(self.rest) < ITEMS_IN_A_BATCH and self._size < BYTES_IN_A_BATCH:
            return ()
        batch, self.rest, self._size = self.rest, [], 0
        return batch


def too_long(index: int, longest: int) -> Item:
    """Let pass without its content, which may be of any length."""
    item = Item(index, b"")
    item.reject({"pointer": "", "detail": f"The item is longer than {longest} bytes", "code": TooLarge.code})
    return item


def _numbered(raws: Sequence[msgspec.Raw], longest: int) -> Iterator[Item]:
    for index, raw in enumerate(raws):
        # One that is longer is not even parsed: it could be a million lists.
        content = memoryview(raw)
        yield Item(index, bytes(content)) if len(content) <= longest else too_long(index, longest)
