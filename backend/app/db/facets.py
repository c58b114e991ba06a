"""Facets: what a search finds, counted by each of its filters as if that were not asked for.

Of a search that leads to many postings, the newest are counted, and what is said of the whole is an estimate:
to fetch ten thousand postings that are not in memory takes a third of a second.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from backend.app.db.failures import driver_errors
from backend.app.db.filters import also, route
from backend.app.db.jobs import MOST_COUNTED, Jobs
from backend.app.db.paging import Reading
from backend.app.db.standing import Standing
from backend.app.errors import Unavailable
from backend.app.models.base import Document, now
from backend.app.models.conditions import JobQuery, Posted
from backend.app.models.searchable import HIGH, NOT_PAID, TAGS
from backend.app.models.tallies import LONGEST_VALUE, as_name, as_words, pay, tallied, values, weeks

LOOKED_THROUGH = 5_000
"""So many postings are looked through: the newest of those that the search leads to."""
LED = 200_000
"""For an estimate, so many of those that the search leads to are counted."""
VALUES = 200
"""Of a facet, at most."""
GROUPS = 5_000
NAMES = {True: "facets of active", False: "facets of inactive", None: "facets of any"}
"""What is counted when nothing is asked for, under a name each."""

PATIENCE = 0.3
"""Seconds to wait for what is counted anew. Rather an old answer than that, and the newest than none."""

AS_THEY_LIE = {"$natural": 1}
MOST_PAY = 1e9
_PAID = {"$min": ["$" + HIGH, MOST_PAY]}
# Three digits of it are enough for a range. In between 0 and 1, and below 0, there is nothing to round.
_ROUNDED = {"$trunc": [_PAID, {"$subtract": [2, {"$floor": {"$log10": _PAID}}]}]}
_AMOUNT = {"$cond": [{"$lt": ["$" + HIGH, 1]}, {"$min": [{"$ceil": "$" + HIGH}, 0]}, _ROUNDED]}
_CURRENCY = {"$cond": [{"$eq": ["$" + HIGH, NOT_PAID]}, "", {"$ifNull": ["$salary_range.currency", "USD"]}]}
_WEEK = {"$dateTrunc": {"date": "$posted_date", "unit": "week", "startOfWeek": "monday"}}
_SKILL = "skill:"
# What begins with it comes before the sign that follows a colon. A blank name is none.
_IS_SKILL = {"$and": [{"$gt": ["$$this", _SKILL]}, {"$lt": ["$$this", "skill;"]}]}

Stages = list[Document]
Groups = Mapping[str, list[tuple[Any, int]]]


def _by(value: object) -> Stages:
    return [
        {"$group": {"_id": value, "n": {"$sum": 1}}},
        {"$sort": {"n": -1, "_id": 1}},
        {"$limit": GROUPS},
    ]


def _short(path: str) -> Document:
    """Nothing, if there is none. The length of what is in a group is its memory."""
    return {"$substrCP": [path, 0, LONGEST_VALUE + 1]}


def _number(all_in_one: list[tuple[Any, int]]) -> int:
    return sum(number for _, number in all_in_one)


def _each(array: object, value: object) -> Stages:
    return [{"$project": {"_id": 0, "each": array}}, {"$unwind": "$each"}, *_by(value)]


@dataclass(frozen=True)
class Facet:
    """What is counted for it, and what becomes of the counts."""

    groups: Mapping[str, Stages]
    shown: Callable[[Groups], Document]


def _of_values(name: str, value: object, fold: Callable[[str], str]) -> Facet:
    def shown(groups: Groups) -> Document:
        counts, spellings = tallied(groups[name], fold)
        listed = values(counts, spellings, VALUES)
        return {"values": listed, "unnamed": counts[""]}

    return Facet({name: _by(value)}, shown)


def _of_skills() -> Facet:
    def shown(groups: Groups) -> Document:
        _, spellings = tallied(groups["skill"], as_name)
        counts, _ = tallied(groups["skill_names"], lambda name: name.removeprefix(_SKILL))
        unnamed = _number(groups["all"]) - _number(groups["skilled"])
        return {"values": values(counts, spellings, VALUES), "unnamed": unnamed}

    # By their names, of which a posting has each once, however often and in whatever case it writes them.
    names = {"$filter": {"input": "$" + TAGS, "cond": _IS_SKILL}}
    groups = {
        "skill": _each("$skills_required", _short("$each")),
        "skill_names": _each(names, "$each"),
        "skilled": [{"$match": {TAGS: {"$elemMatch": {"$gt": _SKILL, "$lt": "skill;"}}}}, *_by(None)],
    }
    return Facet(groups, shown)


def _of_pay() -> Facet:
    def shown(groups: Groups) -> Document:
        return pay(((one["currency"], one["amount"]), number) for one, number in groups["salary"])

    return Facet({"salary": _by({"currency": _CURRENCY, "amount": _AMOUNT})}, shown)


def _of_weeks() -> Facet:
    return Facet({"posted": _by(_WEEK)}, lambda groups: weeks(groups["posted"]))


FACETS: Mapping[str, Facet] = {
    "remote_type": _of_values("remote_type", _short("$remote_type"), as_name),
    "skill": _of_skills(),
    "company": _of_values("company", _short("$company"), as_words),
    "location": _of_values("location", _short("$location"), as_words),
    "source_platform": _of_values("source_platform", _short("$source_platform"), as_name),
    "currency": _of_values("currency", _CURRENCY, lambda code: code),
    "salary": _of_pay(),
    "posted": _of_weeks(),
}
"""By the name of the filter that each is for."""


@dataclass(frozen=True)
class Total:
    number: int
    kind: str = "exact"

    @property
    def shown(self) -> Document:
        return {"total": self.number, "total_is": self.kind}


@dataclass
class Counting:
    """Going through what a query finds, once."""

    jobs: Jobs
    query: JobQuery
    facets: Iterable[str] = ()
    most: int | None = LOOKED_THROUGH
    """How many of those that it leads to are looked through; all, if none is said."""
    counted: int = 0
    is_exact: bool = True
    shown: dict[str, Document] = field(default_factory=dict)

    def __post_init__(self) -> None:
        way = route(self.query, self.jobs.frequencies)
        # Times are in the index, whatever else is.
        dated = [also(condition) for condition in self.query.all if isinstance(condition, Posted)]
        self.residue = [one for one in way.also if one not in dated]
        listing = self.jobs.spec.listing(way.where)
        self.led: Document = {"$match": Reading(self.jobs.spec, listing, way.where, dated).query(None)}
        self.sort: Document = {"$sort": dict(listing.sort)}
        # By way of an index, a million take a minute instead of seconds.
        self.hint = AS_THEY_LIE if self.most is None else self.jobs.spec.index_of(listing)

    async def run(self) -> "Counting":
        if self.most is None:
            groups = await self._grouped()
        else:
            groups, led = await asyncio.gather(self._grouped(), self._count_led(self.most + 1))
            self.is_exact = led <= self.most
        self.counted = _number(groups["all"])
        # Thousands of names: other requests have their turn meanwhile.
        self.shown = await asyncio.to_thread(self._shown, groups)
        return self

    async def total(self) -> Total:
        if self.is_exact:
            return Total(self.counted)
        if not self.residue:
            return _up_to_the_cap(await self._count_led(MOST_COUNTED + 1))
        if not self.counted:
            # Nothing is a strong word.
            return _up_to_the_cap(await self.jobs.count_matching(self.query, MOST_COUNTED + 1))
        looked_through = self.most or 0
        enough = ceil(MOST_COUNTED * looked_through / self.counted) + 1
        led = await self._count_led(min(enough, LED))
        estimate = max(self.counted, led * self.counted // looked_through)
        if estimate >= MOST_COUNTED:
            return Total(MOST_COUNTED, "at_least")
        return Total(max(self.counted, int(float(f"{estimate:.2g}"))), "estimate")

    @property
    def pipeline(self) -> Stages:
        groups = {name: stages for facet in self.facets for name, stages in FACETS[facet].groups.items()}
        newest: Stages = [] if self.most is None else [self.sort, {"$limit": self.most}]
        residue: Stages = [{"$match": {"$and": self.residue}}] if self.residue else []
        return [self.led, *newest, *residue, {"$facet": {"all": _by(None), **groups}}]

    async def _grouped(self) -> Groups:
        slow = self.most is None
        with driver_errors():
            (found,) = await self.jobs.mongo.aggregate(
                self.jobs.spec.name, self.pipeline, hint=self.hint, slow=slow, long=not slow
            )
        return {name: [(group["_id"], group["n"]) for group in groups] for name, groups in found.items()}

    async def _count_led(self, most: int) -> int:
        """Of those that the index leads to: without fetching any."""
        with driver_errors():
            found = await self.jobs.mongo.aggregate(
                self.jobs.spec.name, [self.led, {"$limit": most}, {"$count": "n"}], hint=self.hint
            )
        return int(found[0]["n"]) if found else 0

    def _shown(self, groups: Groups) -> dict[str, Document]:
        about = {"is_exact": self.is_exact, "counted": self.counted}
        return {name: {**about, **FACETS[name].shown(groups)} for name in self.facets}


def _up_to_the_cap(number: int) -> Total:
    return Total(MOST_COUNTED, "at_least") if number > MOST_COUNTED else Total(number)


async def facets(
    jobs: Jobs, standing: Standing, query: JobQuery, top: int, most: int = LOOKED_THROUGH
) -> Document:
    """What a query finds, with so many values of each facet."""
    found = await (_of_some(jobs, query, most) if query.conditions else _of_any(jobs, standing, query, most))
    cut = {
        name: {**facet, "values": facet["values"][:top]} if "values" in facet else facet
        for name, facet in found["facets"].items()
    }
    return {**found, "facets": cut}


async def _of_any(jobs: Jobs, standing: Standing, query: JobQuery, most: int) -> Document:
    began = now()
    try:
        answer = await standing.answer(
            NAMES[query.active], (jobs.spec,), lambda: _of_all(jobs, query), patience=PATIENCE
        )
    except Unavailable:
        # There is none yet.
        return await _of_some(jobs, query, most)
    # A time that is just now would make each answer another.
    return {**answer.document, "as_of": answer.as_of if answer.as_of < began else None}


async def _of_all(jobs: Jobs, query: JobQuery) -> Document:
    counting = await Counting(jobs, query, tuple(FACETS), most=None).run()
    return {**Total(counting.counted).shown, "facets": counting.shown, "without": []}


async def _of_some(jobs: Jobs, query: JobQuery, most: int) -> Document:
    asked = [name for name in FACETS if name in query.conditions]
    others = [name for name in FACETS if name not in query.conditions]
    main = Counting(jobs, query, others, most)
    own = {name: Counting(jobs, query.without(name), (name,), most) for name in asked}
    await asyncio.gather(*(counting.run() for counting in (main, *own.values())))
    shown = {name: facet for counting in (main, *own.values()) for name, facet in counting.shown.items()}
    total = await main.total()
    without = [] if total.number else await _without(jobs, query, own, most)
    return {
        **total.shown,
        "facets": {name: shown[name] for name in FACETS},
        "without": without,
        "as_of": None,
    }


async def _without(jobs: Jobs, query: JobQuery, known: Mapping[str, Counting], most: int) -> list[Document]:
    """What each filter costs."""

    async def one(name: str) -> Document:
        counting = known.get(name) or await Counting(jobs, query.without(name), (), most).run()
        return {"filter": name, **(await counting.total()).shown}

    return await asyncio.gather(*map(one, query.conditions))
