"""Items of any number, cut into bulk calls."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.client.connection import AS_JSON
from backend.client.failures import Fault

Item = Mapping[str, Any]
Names = tuple[tuple[str, ...], ...]

MOST_ITEMS = 1_000
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Refused:
    """An item that is known to be no good: it is not sent, and listed as rejected in its place."""

    item: Item
    errors: tuple[Fault, ...]


@dataclass(slots=True)
class Entry:
    """An item with what is sent of it, or with why nothing is."""

    index: int
    item: Item
    body: bytes = b""
    errors: tuple[Fault, ...] = ()


@dataclass(slots=True)
class Chunk:
    """What goes into one call. Items that are not sent count too, so that there is never a flood of them."""

    number: int
    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    keys: set[tuple[str, ...]] = field(default_factory=set)
    """Of the documents that it writes."""
    forms: set[tuple[str, ...]] = field(default_factory=set)
    """How these are named: by id, by e-mail address."""

    def meets(self, other: "Chunk") -> bool:
        """Whether both may write one document: then the later one has to wait, for the last one wins."""
        # An address and an id may be of one user, and nobody here knows.
        return len(self.forms | other.forms) > 1 or not self.keys.isdisjoint(other.keys)


async def cut(
    items: Iterable[Item | Refused] | AsyncIterable[Item | Refused],
    names: Names,
    *,
    number: int,
    most_items: int,
    most_bytes: int = MOST_BYTES,
) -> AsyncIterator[Chunk]:
    chunk = Chunk(number)
    index = 0
    async for given in each(items):
        entry = written(index, given)
        full = len(chunk.entries) >= most_items or chunk.size + len(entry.body) > most_bytes
        if chunk.entries and full:
            yield chunk
            chunk = Chunk(chunk.number + 1)
        add(chunk, entry, names)
        index += 1
    if chunk.entries:
        yield chunk


def add(chunk: Chunk, entry: Entry, names: Names) -> None:
    chunk.entries.append(entry)
    chunk.size += len(entry.body) + 1
    if entry.body and (found := key_of(entry.item, names)):
        form, key = found
        chunk.forms.add(form)
        chunk.keys.add(key)


def key_of(item: Item, names: Names) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """By which names the item tells its document, and what they say; nothing if it does not."""
    form = tuple(name for choice in names for name in choice if item.get(name) is not None)
    if len(form) != len(names):
        return None
    # Neither an id nor an address minds its case. A posting's own key does, and waiting for it costs little.
    return form, tuple(str(item[name]).lower() for name in form)


def written(index: int, given: Item | Refused) -> Entry:
    if isinstance(given, Refused):
        return Entry(index, given.item, errors=given.errors)
    try:
        body = orjson.dumps(given if isinstance(given, dict) else dict(given), option=AS_JSON)
    except (TypeError, ValueError) as error:
        return Entry(index, given, errors=(Fault("", f"It cannot be written as JSON: {error}", "not_json"),))
    return Entry(index, given, body)


async def each(
    items: Iterable[Item | Refused] | AsyncIterable[Item | Refused],
) -> AsyncIterator[Item | Refused]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
