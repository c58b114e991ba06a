"""Keyset pages: where a list goes on, as an opaque cursor and as a query that an index answers by a seek."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from typing import Any

import bson
from bson import ObjectId
from bson.errors import BSONError

from backend.app.db.schema import Listing, Spec
from backend.app.errors import InvalidCursor
from backend.app.models.base import Document, value_at

Where = Mapping[str, Any]
"""Values to be equal to, by field; None stands for any value of a closed set."""

DIGEST_BYTES = 8
LONGEST_PLACE = 300
"""Of the BSON that a cursor holds: a time, a number or the beginning of a title, and an id."""


@dataclass(frozen=True)
class Page:
    """Some documents of a list, and the cursor of those that follow, if any do."""

    documents: list[Document]
    next: str | None


@dataclass(frozen=True)
class Reading:
    """One list with its values filled in."""

    spec: Spec
    listing: Listing
    where: Where
    also: Sequence[Document] = ()
    """What is asked of each document besides."""
    within: Sequence[Document] = ()
    """Ranges of ids; every document is in one of them."""
    asked: str | None = None
    """What the list is of, in words that do not depend on how it is read."""

    def query(self, cursor: str | None) -> Document:
        return self.query_after(None if cursor is None else self._decoded(cursor))

    def query_after(self, place: tuple[Any, ObjectId] | None) -> Document:
        """Only equalities and one range on the order: the shape that an index answers in its own order.

        "Any" becomes one branch per value, for a merge of sorted scans; so does "further than the last",
        for "equal in order and further by id, or further in order".
        """
        steps: list[Document] = [{}]
        if place is not None:
            value, last = place
            further = "$gt" if self.listing.direction == 1 else "$lt"
            steps = [
                {self.listing.by: value, "_id": {further: last}},
                {self.listing.by: {further: value}},
            ]
        several = self._several(branched=place is not None or len(self.within) > 1)
        choices = product(*several.values())
        asked = [[*self.also, {"_id": ids}] for ids in self.within] or [[*self.also]]
        branches = [
            {
                **self.where,
                **dict(zip(several, choice, strict=True)),
                **step,
                **({"$and": besides} if besides else {}),
            }
            for choice in choices
            for step in steps
            for besides in asked
        ]
        return branches[0] if len(branches) == 1 else {"$or": branches}

    def _several(self, *, branched: bool) -> dict[str, Sequence[Any]]:
        """The fields that may be one of several values, and those.

        MongoDB merges the scans of an `$in`, and those of branches, but not those of an `$in` in each branch.
        """
        branched = branched or None in self.where.values()
        return {
            name: self.spec.all_values(name) if value is None else value["$in"]
            for name, value in self.where.items()
            if value is None or (branched and isinstance(value, dict))
        }

    def cursor_after(self, document: Document) -> str:
        place = {"v": value_at(document, self.listing.by), "i": document["_id"]}
        return written(place, self.about)

    def _decoded(self, cursor: str) -> tuple[Any, ObjectId]:
        # Anybody can work the digest out, so what it covers may still be an operator, or anything else.
        match place_in(cursor, self.about):
            case {"v": value, "i": ObjectId() as last, **more} if (
                isinstance(value, self.listing.holds) and not more
            ):
                return value, last
        raise InvalidCursor

    @property
    def about(self) -> str:
        asked = self.asked or str(sorted(self.where.items()))
        return f"{self.spec.name} {self.listing.order} {asked}"


def written(place: Document, about: str) -> str:
    """A place in a list as a cursor, tied to the list, values included: no other list takes it."""
    content = bson.encode(place)
    return _as_text(digest(content, about) + content)


def place_in(cursor: str, about: str) -> Document:
    """What a cursor says, which whoever sent it may have made up."""
    try:
        raw = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        mark, content = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
        if len(content) > LONGEST_PLACE or mark != digest(content, about) or cursor != _as_text(raw):
            raise InvalidCursor
        return bson.decode(content)
    except (ValueError, BSONError):
        raise InvalidCursor from None


def digest(content: bytes, about: str) -> bytes:
    return blake2b(about.encode() + content, digest_size=DIGEST_BYTES).digest()


def _as_text(cursor: bytes) -> str:
    return urlsafe_b64encode(cursor).rstrip(b"=").decode()
