"""Conditions as MongoDB decides them, and which of them an index should find the postings by."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import singledispatch

from bson import ObjectId

from backend.app.db.frequencies import Frequencies
from backend.app.models.base import EXAMPLE_IDS, Document
from backend.app.models.conditions import (
    AnyOf,
    CameAfter,
    Condition,
    JobQuery,
    NoneOf,
    Pays,
    Phrase,
    Posted,
)
from backend.app.models.searchable import HIGH, LAST_STEP, LOW, NOT_PAID, TAGS, TEXT, UNPAID, step, tag

# A posting has an id before it has a time, and no request takes longer from the one to the other.
FROM_ID_TO_TIME = timedelta(minutes=10)
# The ids of the demo data tell nothing about when it came.
_SECOND = EXAMPLE_IDS["job"][:8]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLES = {"$gte": ObjectId(_SECOND.ljust(24, "0")), "$lte": ObjectId(_SECOND.ljust(24, "f"))}


@dataclass(frozen=True)
class Route:
    """How the postings of a query are found."""

    query: JobQuery
    lead: AnyOf | None
    """What the index is asked for; nothing, if the order alone leads."""
    share: float
    """How much of the collection that may be."""
    among_examples: bool = True
    """Whether some of the demo data may match, whose ids do not tell when it came."""

    @property
    def where(self) -> Document:
        """What the index is asked for, as equalities; None stands for any value."""
        where: Document = {"is_active": self.query.active}
        if self.lead is not None:
            first, *others = self.lead.values
            where[self.lead.place] = {"$in": [first, *others]} if others else first
        return where

    @property
    def also(self) -> list[Document]:
        """What is asked of each posting that was found, besides."""
        return [also(condition) for condition in self.query.all if condition is not self.lead]

    @property
    def within(self) -> list[Document]:
        """Ranges that the ids of all of them are in: those an index has, so what is older is not fetched."""
        if self.query.since is None:
            return []
        return ids_since(self.query.since)[: None if self.among_examples else 1]


def route(query: JobQuery, frequencies: Frequencies) -> Route:
    """Find postings by the rarest of what is asked for, and look the rest up in each.

    MongoDB would try out the possible ways with the first of like queries, and stay with that one.
    """
    ways = [(frequencies.share(lead), number, lead) for number, lead in enumerate(_leads(query))]
    if not ways:
        return Route(query, None, 1.0)
    share, _, lead = min(ways)
    return Route(query, lead, share)


def _leads(query: JobQuery) -> Iterator[AnyOf]:
    for condition in query.all:
        match condition:
            case AnyOf():
                yield condition
            case Pays(low, high, or_nothing):
                unpaid = (UNPAID,) if or_nothing else ()
                if low:
                    yield AnyOf(TAGS, (*_steps("high", step(low), LAST_STEP), *unpaid))
                if high is not None:
                    yield AnyOf(TAGS, (*_steps("low", 0, step(high)), *unpaid))


def _steps(name: str, first: int, last: int) -> Iterator[str]:
    """Some more than pay that much: an amount is on one step with others."""
    return (tag(name, str(number)) for number in range(first, last + 1))


def ids_since(moment: datetime) -> list[Document]:
    """Ranges of ids that hold those of all postings that came after a moment."""
    early = max(moment.replace(tzinfo=UTC) - FROM_ID_TO_TIME, EPOCH)
    first = ObjectId.from_datetime(early)
    return [{"$gte": first}, *([EXAMPLES] if first > EXAMPLES["$gte"] else [])]


def asked_of_each(query: JobQuery) -> list[Document]:
    """All of a query, to be asked of each posting."""
    active: list[Document] = [] if query.active is None else [{"is_active": query.active}]
    return [*active, *(also(condition) for condition in query.all)]


@singledispatch
def also(condition: Condition) -> Document:
    """As a filter that no index is tempted by."""
    raise TypeError(condition)


@also.register
def _(condition: AnyOf) -> Document:
    # Twice no: that MongoDB does not turn into bounds, so it stays with the index that it was given.
    return {"$nor": [{condition.place: {"$nin": list(condition.values)}}]}


@also.register
def _(condition: NoneOf) -> Document:
    return {"$nor": [{condition.place: {"$in": list(condition.values)}}]}


@also.register
def _(condition: Phrase) -> Document:
    # Text is a literal: neither an expression nor a pattern, whatever is in it.
    place = {"$indexOfBytes": ["$" + TEXT, {"$literal": condition.text}]}
    return {"$expr": {"$gte" if condition.wanted else "$lt": [place, 0]}}


@also.register
def _(condition: Pays) -> Document:
    paid: Document = {HIGH: {"$gte": max(condition.low or 0, 0)}}
    if condition.high is not None:
        paid[LOW] = {"$lte": condition.high}
    return {"$or": [{HIGH: NOT_PAID}, paid]} if condition.or_nothing else paid


@also.register
def _(condition: Posted) -> Document:
    bounds = {"$gte": condition.since, "$lt": condition.before}
    return {"posted_date": {name: bound for name, bound in bounds.items() if bound is not None}}


@also.register
def _(condition: CameAfter) -> Document:
    return {"created_at": {"$gt": condition.moment}}
