"""How many postings match a saved search, and how many of those are new."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from bson import ObjectId

from backend.app.db.failures import driver_errors
from backend.app.db.filters import asked_of_each, ids_since, route
from backend.app.db.findings import BY_ID, Finding, Findings, packed
from backend.app.db.jobs import Jobs
from backend.app.models.base import Document, now
from backend.app.models.conditions import JobQuery

# So many that are new are kept: a megabyte.
MOST_NEW = 80_000


@dataclass(frozen=True)
class Total:
    count: int
    ids: frozenset[bytes] | None = None
    """Of all of them, where they are known."""


UNKNOWN = Total(0)


@dataclass
class SearchCounts:
    jobs: Jobs
    few: int = 1_000
    """So many that may match are looked at each time."""
    recent: int = 2_000
    """And so many that came lately: those lie side by side."""
    spare: int = 2_000
    """With so many more than are counted, some may go without having to look for others."""
    findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        self.findings = Findings(self.jobs.mongo)

    async def total(self, query: JobQuery, most: int) -> Total:
        """How many match, or one more than the most that are counted."""
        if not route(query, self.jobs.frequencies).also or self._candidates(query) <= self.few:
            return Total(await self.jobs.count_matching(query, most + 1))
        finding = await self.findings.of(query, partial(self._find, query, most + self.spare), most)
        return Total(min(len(finding.ids), most + 1), finding.ids if finding.are_all else None)

    async def new(self, query: JobQuery, moment: datetime, total: Total = UNKNOWN) -> int:
        """How many of those that match came after a moment."""
        if total.ids is not None:
            return await self._new_among(total.ids, moment)
        asked = query.came_after(moment)
        if not await self._came_more(moment, self.recent):
            return await self._count(_arrivals(asked, moment))
        candidates = self._candidates(query)
        if candidates <= self.few:
            return await self.jobs.count_matching(asked)
        finding = await self.findings.of(asked, partial(self._find_new, asked, moment), MOST_NEW)
        if finding.are_all:
            return len(finding.ids)
        if await self._came_more(moment, candidates):
            return await self.jobs.count_matching(asked)
        return await self._count(_arrivals(asked, moment))

    def _candidates(self, query: JobQuery) -> int:
        """How many an index finds, of which the others that are asked for are to be looked at."""
        frequencies = self.jobs.frequencies
        return int(route(query, frequencies).share * frequencies.postings)

    async def _new_among(self, ids: Iterable[bytes], moment: datetime) -> int:
        ranges = [[bound.binary for bound in between.values()] for between in ids_since(moment)]
        late = [one for one in ids if any(first <= one <= (*last, one)[0] for first, *last in ranges)]
        if not late:
            return 0
        which = {"_id": {"$in": list(map(ObjectId, late))}, "created_at": {"$gt": moment}}
        return await self._count({"$match": which})

    async def _find(self, query: JobQuery, most: int) -> Finding:
        began = now()
        found = packed(await self.jobs.ids_matching(query, most))
        return Finding(began, frozenset(found), len(found) < most)

    async def _find_new(self, asked: JobQuery, moment: datetime) -> Finding:
        if await self._came_more(moment, self._candidates(asked)):
            return await self._find(asked, MOST_NEW + 1)
        began = now()
        pipeline = [_arrivals(asked, moment), {"$limit": MOST_NEW + 1}, {"$project": BY_ID}]
        found = await self._read(pipeline)
        ids = packed(posting["_id"] for posting in found)
        return Finding(began, frozenset(ids), len(ids) <= MOST_NEW)

    async def _came_more(self, moment: datetime, than: int) -> bool:
        """Whether more came after a moment, whatever they are."""
        since, *_ = ids_since(moment)
        past: list[Document] = [{"$skip": max(than, 0)}, {"$limit": 1}, {"$project": BY_ID}]
        return bool(await self._read([{"$match": {"_id": since}}, *past]))

    async def _count(self, match: Document) -> int:
        found = await self._read([match, {"$count": "n"}])
        return int(found[0]["n"]) if found else 0

    async def _read(self, pipeline: list[Document]) -> list[Document]:
        with driver_errors():
            return await self.jobs.mongo.aggregate(self.jobs.spec.name, pipeline, hint=BY_ID)


def _arrivals(asked: JobQuery, moment: datetime) -> Document:
    """By looking at all that came after a moment."""
    each = asked_of_each(asked)
    return {"$match": {"$or": [{"_id": ids, "$and": each} for ids in ids_since(moment)]}}
