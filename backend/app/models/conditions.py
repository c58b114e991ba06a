"""Conditions: what a query asks of a posting.

Each is decided here for one posting, and by MongoDB as `db/filters.py` has it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from backend.app.models.base import Document, value_at
from backend.app.models.searchable import HIGH, LOW, NOT_PAID, SEARCH, TEXT, searchable


class Condition(ABC):
    @abstractmethod
    def holds(self, posting: Document) -> bool:
        """Whether it does, for a posting with what it can be found by."""


@dataclass(frozen=True)
class AnyOf(Condition):
    """At least one of some words or tags."""

    place: str
    values: tuple[str, ...]

    def holds(self, posting: Document) -> bool:
        return not set(self.values).isdisjoint(value_at(posting, self.place))


@dataclass(frozen=True)
class NoneOf(Condition):
    """None of some words or tags."""

    place: str
    values: tuple[str, ...]

    def holds(self, posting: Document) -> bool:
        return set(self.values).isdisjoint(value_at(posting, self.place))


@dataclass(frozen=True)
class Phrase(Condition):
    """Words one after the other, in one field; or not so."""

    words: tuple[str, ...]
    wanted: bool = True

    @property
    def text(self) -> str:
        return f" {' '.join(self.words)} "

    def holds(self, posting: Document) -> bool:
        return (self.text in value_at(posting, TEXT)) is self.wanted


@dataclass(frozen=True)
class Pays(Condition):
    """A salary that has some of a range in it."""

    low: float | None
    high: float | None
    or_nothing: bool = False
    """Or none that is known."""

    def holds(self, posting: Document) -> bool:
        least, most = value_at(posting, LOW), value_at(posting, HIGH)
        if most == NOT_PAID:
            return self.or_nothing
        return (self.low is None or most >= self.low) and (self.high is None or least <= self.high)


@dataclass(frozen=True)
class Posted(Condition):
    since: datetime | None
    before: datetime | None

    def holds(self, posting: Document) -> bool:
        moment = posting["posted_date"]
        return (self.since is None or moment >= self.since) and (self.before is None or moment < self.before)


@dataclass(frozen=True)
class CameAfter(Condition):
    """Was stored first after some moment, whenever it was posted."""

    moment: datetime

    def holds(self, posting: Document) -> bool:
        return bool(posting["created_at"] > self.moment)


@dataclass(frozen=True)
class JobQuery:
    """All conditions that a posting must satisfy, each under the name of the parameter that asks for it."""

    conditions: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)
    active: bool | None = True
    """None for either."""

    def matches(self, posting: Document) -> bool:
        """The same as MongoDB finds with its filter: for a posting as it is stored, or would be."""
        if self.active is not None and posting["is_active"] is not self.active:
            return False
        if SEARCH not in posting:
            posting = {**posting, SEARCH: searchable(posting)}
        return all(condition.holds(posting) for condition in self.all)

    @property
    def all(self) -> Iterator[Condition]:
        return (condition for group in self.conditions.values() for condition in group)

    def without(self, *names: str) -> "JobQuery":
        kept = {name: group for name, group in self.conditions.items() if name not in names}
        return replace(self, conditions=kept)

    def came_after(self, moment: datetime) -> "JobQuery":
        return replace(self, conditions={**self.conditions, "new": (CameAfter(moment),)})

    @property
    def since(self) -> datetime | None:
        """The moment after which all that match came."""
        moments = [condition.moment for condition in self.all if isinstance(condition, CameAfter)]
        return max(moments, default=None)
