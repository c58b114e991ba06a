"""One document to be: what a client would send, and what the server would add."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Generic, TypeVar

from bson import ObjectId

from backend.app.models.base import EXAMPLE_IDS, Body, Document

B = TypeVar("B", bound=Body, covariant=True)


@dataclass(frozen=True)
class Entry(Generic[B]):
    id: ObjectId
    body: B
    """Valid, or it would not exist."""
    kept: Document
    """The fields that only the server writes."""


class Made(Generic[B]):
    """What a person and a posting have alike: the document, beside what it was drawn from."""

    entry: Entry[B]

    @property
    def body(self) -> B:
        return self.entry.body

    @property
    def since(self) -> datetime:
        created: datetime = self.entry.kept["created_at"]
        return created


def nth_id(noun: str, index: int) -> ObjectId:
    """Counted from the ids that the docs pages are filled with."""
    return ObjectId(f"{int(EXAMPLE_IDS[noun], 16) + index:024x}")


def chance(about: str) -> Random:
    """One for each kind of document: a change to one kind leaves the others as they are."""
    return Random(f"aijobhunt {about}")
