"""What a bulk call has come to so far: how many of each, and what is told of them one by one."""

from collections.abc import Sequence
from typing import Self

from backend.app.db.bulk.items import Item, counted
from backend.app.db.bulk.steps import Part
from backend.app.db.schema import Spec
from backend.app.models.base import Document
from backend.app.models.bulk import STATUSES, Report, Status
from backend.app.models.view import to_json

# Ten thousand items with five faults each could tell more than one document of MongoDB's holds.
MOST_BYTES = 8 * 1024 * 1024


class Tally:
    def __init__(self, spec: Spec, report: Report, most: int) -> None:
        self.spec = spec
        self.report = report
        self.most = most
        """How many items are listed at most."""
        self.summary: dict[Status, int] = dict.fromkeys(STATUSES, 0)
        self.truncated = False
        self._listed = 0
        self._told: list[bytes] = []
        self._size = 0

    def part(self, items: Sequence[Item]) -> Part:
        """What is to be added for a batch that comes next."""
        wanted = [item for item in items if self._is_told(item)]
        room = self.most - self._listed if self._size < MOST_BYTES else 0
        told = [outcome(self.spec, item) for item in wanted[:room]]
        told_as_json = to_json(told)[1:-1]
        return Part(counted(items), len(told), told_as_json, len(wanted) > len(told))

    def alone(self, part: Part) -> Self:
        """What it comes to with this part only."""
        alone = type(self)(self.spec, self.report, self.most)
        alone.add(part)
        return alone

    def add(self, part: Part) -> None:
        for status in STATUSES:
            self.summary[status] += part.summary[status]
        self.truncated |= part.truncated
        self._listed += part.listed
        self._size += len(part.told)
        if part.told:
            self._told.append(part.told)

    def to_json(self) -> bytes:
        items = b",".join(self._told)
        return b'{"summary":%b,"items":[%b],"truncated":%b}' % (
            to_json(self.summary),
            items,
            to_json(self.truncated),
        )

    def _is_told(self, item: Item) -> bool:
        return self.report == "all" or (self.report == "rejected" and item.status == "rejected")


def outcome(spec: Spec, item: Item) -> Document:
    told = {"index": item.index, "status": item.status, "id": item.id}
    return {**told, **key_told(spec, item), "errors": item.faults}


def key_told(spec: Spec, item: Item) -> Document:
    """The key of an item; of one that has none, as much as there is of it."""
    names = spec.unique[0]
    if item.key is not None:
        return dict(zip(names, item.key, strict=True))
    return {name: part_told(spec, item, name) for name in names}


def part_told(spec: Spec, item: Item, name: str) -> object:
    if name in item.parents:
        return item.parents[name]["_id"]
    sent = item.sent.get(name) if isinstance(item.sent, dict) else None
    return sent if isinstance(sent, str) and sent in spec.all_values(name) else None
