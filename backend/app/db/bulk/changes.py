"""What the items of a bulk call make of one document: item after item in memory, then one write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes
from time import monotonic

from bson import ObjectId
from pymongo import InsertOne, UpdateOne

from backend.app.db.bulk import seals
from backend.app.db.bulk.intakes import Filled, Intake, Key, Unfit
from backend.app.db.bulk.items import Item
from backend.app.db.collection import same
from backend.app.models.base import REVISION, Document

# Of an ObjectId.
TIME_BYTES, RANDOM_BYTES, NUMBER_BYTES = 4, 5, 3
IDS_AT_A_TIME = 1_000
SECONDS_OF_A_TIME = 1.0
OTHER_SOURCE = "The run is of another source"


@dataclass(frozen=True, eq=False)
class Terms:
    """What holds for all items of a call."""

    intake: Intake
    born: Callable[[Document, ObjectId], Document]
    merge: bool = False
    source: str | None = None
    """Of the ingest run: where the postings are from that do not say so."""
    ids: Iterator[ObjectId] = field(default_factory=lambda: new_ids())

    def filled(self, item: Item, standing: Document | None) -> Filled:
        if self.merge:
            filled = self.intake.merged(item.sent, item.raw, item.parents, standing)
        else:
            # It does not depend on what stands: worked out once, however often it is planned anew.
            filled = item.filled = item.filled or self.intake.whole(item.sent, item.raw, item.parents)
        return filled if self.source is None else self._of_run(item, filled, self.source)

    def are_sealed(self, items: Sequence[Item], standing: Document) -> bool:
        return not self.merge and len(items) == 1 and seals.fits(standing, self._digest(items[0]))

    def seal(self, document: Document, last: Item) -> None:
        # A merge leaves a seal that nothing fits: what was sent is not all that is stored.
        seals.seal(document, seals.NOTHING if self.merge else self._digest(last))

    def _digest(self, item: Item) -> bytes:
        return seals.digest(item.raw, self.source)

    def _of_run(self, item: Item, filled: Filled, source: str) -> Filled:
        """As the run that saw it completes it: it is from there, and it is alive."""
        fields = {"source_platform": source, **filled.fields}
        if fields["source_platform"] != source:
            raise Unfit({"pointer": "/source_platform", "detail": OTHER_SOURCE, "code": "other_source"})
        if "is_active" not in item.sent:
            fields["is_active"] = True
        return Filled(fields, filled.by_server)


def new_ids() -> Iterator[ObjectId]:
    """As the driver makes them, of a time, chance and a number, but without taking a lock for each."""
    while True:
        head, made = ObjectId().binary[:TIME_BYTES] + token_bytes(RANDOM_BYTES), monotonic()
        for number in range(IDS_AT_A_TIME):
            yield ObjectId(head + number.to_bytes(NUMBER_BYTES, "big"))
            # However slowly items come: who looks for what is new goes by the time of the id.
            if monotonic() - made > SECONDS_OF_A_TIME:
                break


class Change:
    """The document of one key: as it stands, and as the items that were taken leave it."""

    def __init__(self, terms: Terms, key: Key, before: Document | None) -> None:
        self.terms = terms
        self.key = key
        self.before = before
        self._after = before
        self._last: Item | None = None
        """The item that made the document what it is."""

    def take(self, item: Item) -> None:
        standing = self._after
        try:
            filled = self.terms.filled(item, standing)
        except Unfit as unfit:
            item.reject(*unfit.faults)
            return
        if standing is None:
            parents = {name: parent["_id"] for name, parent in item.parents.items()}
            self._after = self.terms.born({**filled.fields, **parents}, next(self.terms.ids))
            item.became("created", self._after["_id"])
        elif self.terms.intake.is_already(standing, filled):
            item.became("unchanged", standing["_id"])
            return
        else:
            self._after = self.terms.intake.after(standing, filled)
            item.became("updated", standing["_id"])
        self._last = item

    def written(self) -> "Write | None":
        """The write that it takes, if it takes one."""
        if self._last is None or self._after is None:
            return None
        if self.before is not None:
            self._after[REVISION] = self.before.get(REVISION, 0) + 1
        self.terms.seal(self._after, self._last)
        return Write(self.key, self.before, self._after)


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    key: Key
    before: Document | None
    after: Document

    @property
    def operation(self) -> InsertOne[Document] | UpdateOne:
        """Lands only on a key that nobody has, or on the revision that it was made from."""
        if self.before is None:
            return InsertOne(self.after)
        before, after = self.before, self.after
        new = {name: value for name, value in after.items() if not same(before.get(name), value)}
        gone = [name for name in before if name not in after]
        update: Document = {"$set": new, "$setOnInsert": {"_id": None}}
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        # To insert it with another id is refused: so one that finds nothing says so. Told only how many were
        # found, nobody could tell it from one that landed and was changed again since.
        return UpdateOne({"_id": before["_id"], REVISION: before.get(REVISION)}, update, upsert=True)
