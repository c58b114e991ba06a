"""Keyset pages: where a list goes on, as an opaque cursor and as a query that an index answers by a seek."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import product
from typing import Any

import bson
from bson import ObjectId
from bson.errors import BSONError

from backend.app.db.schema import Listing, Spec
from backend.app.errors import InvalidCursor
from backend.app.models.base import Document

Where = Mapping[str, Any]
"""Values to be equal to, by field; None stands for any value of a closed set."""

DIGEST_BYTES = 8
LONGEST_PLACE = 31
"""Of the BSON that a cursor holds: a time or a number, and an id."""


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

    def query(self, cursor: str | None) -> Document:
        """Only equalities and one range on the order: the shape that an index answers in its own order.

        "Any" becomes one branch per value, for a merge of sorted scans; so does "further than the last",
        for "equal in order and further by id, or further in order".
        """
        steps: list[Document] = [{}]
        if cursor is not None:
            value, last = self._decoded(cursor)
            further = "$gt" if self.listing.direction == 1 else "$lt"
            steps = [
                {self.listing.by: value, "_id": {further: last}},
                {self.listing.by: {further: value}},
            ]
        open_fields = [name for name, value in self.where.items() if value is None]
        choices = product(*(self.spec.all_values(name) for name in open_fields))
        branches = [
            {**self.where, **dict(zip(open_fields, choice, strict=True)), **step}
            for choice in choices
            for step in steps
        ]
        return branches[0] if len(branches) == 1 else {"$or": branches}

    def cursor_after(self, document: Document) -> str:
        content = bson.encode({"v": document[self.listing.by], "i": document["_id"]})
        return _as_text(self._digest(content) + content)

    def _decoded(self, cursor: str) -> tuple[Any, Any]:
        try:
            raw = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
            digest, content = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
            if len(content) > LONGEST_PLACE or digest != self._digest(content) or cursor != _as_text(raw):
                raise InvalidCursor
            place = bson.decode(content)
        except (ValueError, BSONError):
            raise InvalidCursor from None
        # Anybody can work the digest out, so what it covers may still be an operator, or anything else.
        match place:
            case {"v": datetime() | float() | int() as value, "i": ObjectId() as last}:
                return value, last
        raise InvalidCursor

    def _digest(self, content: bytes) -> bytes:
        """Ties a cursor to its list, values included: no other list takes it."""
        about = f"{self.spec.name} {self.listing.order} {sorted(self.where.items())}"
        return blake2b(about.encode() + content, digest_size=DIGEST_BYTES).digest()


def _as_text(cursor: bytes) -> str:
    return urlsafe_b64encode(cursor).rstrip(b"=").decode()
