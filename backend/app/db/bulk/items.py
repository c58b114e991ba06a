"""The items of a bulk call: what each is about, whose child it is, and what becomes of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson import ObjectId

from backend.app.db.bulk.intakes import Filled, Intake, Key, Reference, Unfit
from backend.app.db.collection import find_all, missing
from backend.app.db.mongo import Mongo
from backend.app.errors import MalformedBody
from backend.app.models.base import Document
from backend.app.models.bulk import MOST_FAULTS_OF_ONE, PARENT_NAMES, STATUSES, Status
from backend.app.syntax import glance

# One takes some microseconds; all of a batch together would keep every other request waiting.
ITEMS_AT_A_TIME = 100
BYTES_AT_A_TIME = 256 * 1024


NOT_LOOKED_AT: Document = {}
NO_OBJECT = {"pointer": "", "detail": "Input should be a JSON object", "code": "object_type"}


@dataclass(slots=True, eq=False)
class Item:
    """One item of a bulk call, and what becomes of it."""

    index: int
    raw: bytes
    sent: Document = field(default_factory=lambda: NOT_LOOKED_AT)
    parents: dict[str, Document] = field(default_factory=dict)
    key: Key | None = None
    filled: Filled | None = None
    standing: ObjectId | None = None
    """The document that stood for its key before."""
    status: Status | None = None
    id: ObjectId | None = None
    faults: Sequence[Mapping[str, str]] = ()

    def look(self) -> Any:
        """What is in it, at a glance, which is taken once."""
        if self.sent is NOT_LOOKED_AT:
            self.sent = glance(self.raw)
        return self.sent

    def became(self, status: Status, which: ObjectId) -> None:
        self.status, self.id, self.faults = status, which, ()

    def reject(self, *faults: Mapping[str, str]) -> None:
        self.status, self.id, self.faults = "rejected", None, faults[:MOST_FAULTS_OF_ONE]


def counted(items: Iterable[Item]) -> dict[str, int]:
    """How many came to what."""
    counts = Counter(item.status for item in items)
    return {status: counts[status] for status in STATUSES}


def parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """A few at a time, between which other requests can have their turn."""
    part: list[Item] = []
    size = 0
    for item in items:
        part.append(item)
        size += len(item.raw)
        if len(part) >= ITEMS_AT_A_TIME or size >= BYTES_AT_A_TIME:
            yield part
            part, size = [], 0
    if part:
        yield part


async def identify(mongo: Mongo, intake: Intake, items: Sequence[Item]) -> None:
    """Find the key of each, and its parents; what has no key, or not all its parents, is rejected."""
    references: dict[Item, dict[str, Reference]] = {}
    for part in parts(item for item in items if item.status is None):
        for item in part:
            if named := _named(intake, item):
                references[item] = named
        await asyncio.sleep(0)
    found = await find_parents(mongo, intake, references)
    for item, named in references.items():
        absent = [name for name, reference in named.items() if (name, *reference) not in found]
        item.parents = {
            name: found[name, *reference] for name, reference in named.items() if name not in absent
        }
        item.key = None if absent else intake.key_of(item.sent, item.parents)
        if item.key is None:
            reject_as_unfit(intake, item, absent)


def _named(intake: Intake, item: Item) -> dict[str, Reference] | None:
    """What the parents of an item are named by, if it has any to be looked for."""
    try:
        sent = item.look()
    except MalformedBody as failure:
        item.reject({"pointer": "", "detail": failure.detail, "code": failure.code})
        return None
    if not isinstance(sent, dict):
        item.sent = {}
        item.reject(NO_OBJECT)
        return None
    named = intake.references(sent)
    if named == {}:
        item.key = intake.key_of(sent, {})
    if not named and item.key is None:
        reject_as_unfit(intake, item)
    return named


def reject_as_unfit(intake: Intake, item: Item, absent: Iterable[str] = ()) -> None:
    """Say all that is wrong with an item that cannot be stored, parents that are not there included."""
    faults: list[Mapping[str, str]] = [
        {
            "pointer": "/" + (name if item.sent.get(name) is not None else PARENT_NAMES[name]),
            "detail": str(missing(intake.spec.belongs_to[name])),
            "code": "not_found",
        }
        for name in absent
    ]
    try:
        intake.validated(item.sent, item.raw)
    except Unfit as unfit:
        faults += unfit.faults
    item.reject(*faults)


Found = dict[tuple[str, str, object], Document]
"""Parents, by the field of the child and by what they were named by."""


async def find_parents(
    mongo: Mongo, intake: Intake, references: Mapping[Item, Mapping[str, Reference]]
) -> Found:
    found: Found = {}
    for name, parent in intake.spec.belongs_to.items():
        wanted: dict[str, set[object]] = {}
        for named in references.values():
            by, value = named[name]
            wanted.setdefault(by, set()).add(value)
        for by, values in wanted.items():
            for document in await find_all(mongo, parent, by, values, by, *intake.shown_of(parent)):
                found[name, by, document[by]] = document
    return found
