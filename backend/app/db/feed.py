"""A user's matches as a feed: by score or age, by their postings, and by what the user did with those."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property

from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.filters import asked_of_each
from backend.app.db.paging import Page, Reading
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, Listing
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery
from backend.app.models.interactions import InteractionType
from backend.app.models.job_matches import FeedOrder

# So many matches are looked at in one go: not many at first, for most feeds let most of them pass.
TIMES_A_PAGE = 2
FEWEST = 100
MOST = 2_000
GROWTH = 4

BY_ID = {"_id": 1}
BY_USER_AND_JOB = {name: 1 for key in INTERACTIONS.unique for name in key}


@dataclass(frozen=True)
class Wanted:
    """Which of a user's matches a feed is of, and in which order."""

    user: ObjectId
    active: bool | None
    """None for either."""
    order: FeedOrder
    min_score: float | None
    exclude: frozenset[InteractionType]
    """Whatever the user did with a posting that keeps its match out."""
    query: JobQuery
    """What is asked of the postings."""

    @cached_property
    def sifts(self) -> bool:
        """Whether a match does not tell by itself that it belongs here."""
        return bool(self.exclude or self.of_postings)

    @cached_property
    def of_postings(self) -> list[Document]:
        return asked_of_each(self.query)

    @cached_property
    def reading(self) -> Reading:
        where = {"user_id": self.user, "is_active": self.active}
        least = [] if self.min_score is None else [{"relevancy_score": {"$gte": self.min_score}}]
        listing = Listing(("user_id", "is_active"), self.order)
        return Reading(MATCHES, listing, where, least, asked=self._asked)

    @property
    def _asked(self) -> str | None:
        """Nothing for a plain list, whose cursors are those of any list."""
        if not self.sifts and self.min_score is None:
            return None
        return repr((self.user, self.active, self.min_score, sorted(self.exclude), self.query))


class Feed:
    """Walks the matches in their order, a stretch at a time, and keeps those whose postings pass.

    Whatever the filters let pass, it holds a page and a stretch; a request that walks too long is overdue.
    """

    def __init__(self, matches: Collection, wanted: Wanted) -> None:
        self.matches = matches
        self.mongo = matches.mongo
        self.wanted = wanted
        self.reading = wanted.reading

    async def page(self, limit: int, cursor: str | None = None) -> Page:
        query, most = self.reading.query(cursor), limit + 1
        if not self.wanted.sifts:
            found = await self._stretch(query, most, whole=True)
        else:
            found = await self._first(query, most)
        more = self.reading.cursor_after(found[limit - 1]) if len(found) > limit else None
        chosen = found[:limit]
        return Page(await self._whole(chosen) if self.wanted.sifts else chosen, more)

    async def count(self) -> int:
        """How many the feed has in all."""
        if not self.wanted.sifts:
            return await self.matches.count(self._alone)
        return sum([len(passing) async for passing in self._passing(self.reading.query(None), MOST)])

    async def postings(self, matches: Iterable[Document]) -> dict[ObjectId, Document]:
        """The postings of matches, by id, but for those that are gone."""
        wanted = [match["job_id"] for match in matches]
        with driver_errors():
            found = await self.mongo.find(
                JOBS.name, {"_id": {"$in": wanted}}, projection=JOBS.shown, batch_size=len(wanted) + 1
            )
        return {posting["_id"]: posting for posting in found}

    @property
    def _alone(self) -> Document:
        """What is asked of the matches themselves."""
        where = dict(self.reading.where)
        for one in self.reading.also:
            where.update(one)
        return where

    async def _first(self, query: Document, most: int) -> list[Document]:
        found: list[Document] = []
        size = min(max(most * TIMES_A_PAGE, FEWEST), MOST)
        async with aclosing(self._passing(query, size)) as passing:
            async for some in passing:
                found += some
                if len(found) >= most:
                    break
        return found[:most]

    async def _passing(self, query: Document, size: int) -> AsyncGenerator[list[Document]]:
        """Those that pass, as they stand in the order, stretch by stretch."""
        while stretch := await self._stretch(query, size):
            yield await self._sifted(stretch)
            if len(stretch) < size:
                break
            last = stretch[-1]
            query = self.reading.query_after((last[self.reading.listing.by], last["_id"]))
            size = min(size * GROWTH, MOST)

    async def _stretch(self, query: Document, most: int, *, whole: bool = False) -> list[Document]:
        listing = self.reading.listing
        # A match can be of any size, and most may be looked at in vain.
        shown = MATCHES.shown if whole else {"job_id": 1, listing.by: 1}
        with driver_errors():
            return await self.mongo.find(
                MATCHES.name,
                query,
                projection=shown,
                sort=listing.sort,
                limit=most,
                batch_size=most,
                hint=MATCHES.index_of(listing),
            )

    async def _sifted(self, stretch: list[Document]) -> list[Document]:
        """First by what the user did, which takes an index alone."""
        for sieve in (self._left_alone, self._fitting):
            jobs = await sieve([match["job_id"] for match in stretch])
            stretch = [match for match in stretch if match["job_id"] in jobs]
        return stretch

    async def _left_alone(self, jobs: Sequence[ObjectId]) -> set[ObjectId]:
        """Postings with which the user did nothing that is to be excluded."""
        if not jobs or not self.wanted.exclude:
            return set(jobs)
        with driver_errors():
            done = await self.mongo.find(
                INTERACTIONS.name,
                {
                    "user_id": self.wanted.user,
                    "job_id": {"$in": jobs},
                    "interaction_type": {"$in": sorted(self.wanted.exclude)},
                },
                projection={"_id": 0, "job_id": 1},
                batch_size=len(jobs) * len(self.wanted.exclude) + 1,
                hint=BY_USER_AND_JOB,
            )
        return set(jobs) - {one["job_id"] for one in done}

    async def _fitting(self, jobs: Sequence[ObjectId]) -> set[ObjectId]:
        """Postings of which all holds that is asked of them."""
        if not jobs or not self.wanted.of_postings:
            return set(jobs)
        with driver_errors():
            found = await self.mongo.find(
                JOBS.name,
                {"_id": {"$in": jobs}, "$and": self.wanted.of_postings},
                projection={"_id": 1},
                batch_size=len(jobs) + 1,
                hint=BY_ID,
            )
        return {posting["_id"] for posting in found}

    async def _whole(self, places: Sequence[Document]) -> list[Document]:
        """What has gone since it was looked at is left out."""
        wanted = [place["_id"] for place in places]
        with driver_errors():
            found = await self.mongo.find(
                MATCHES.name, {"_id": {"$in": wanted}}, projection=MATCHES.shown, batch_size=len(wanted) + 1
            )
        by_id = {match["_id"]: match for match in found}
        return [by_id[which] for which in wanted if which in by_id]
