"""Postings by score: the newest that match, best first, and then those that are older."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bson import ObjectId

from backend.app.db.failures import driver_errors
from backend.app.db.jobs import Jobs, Place
from backend.app.db.paging import Page, place_in, written
from backend.app.errors import InvalidCursor
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery
from backend.app.models.scores import Score
from backend.app.models.searchable import SEARCH, TAGS, TEXT, WORDS

RANKED = 2_000
"""So many are ranked: the newest that match."""
LOOKED_THROUGH = 6_000
"""And no more than match among so many that have the rarest of the words."""
SCORE = "score"
WITH_TAGS = dict.fromkeys((WORDS, TEXT), 0)


class Ranked(NamedTuple):
    score: float
    posted: datetime
    which: ObjectId

    @property
    def place(self) -> Place:
        return self.posted, self.which


@dataclass(frozen=True)
class Window:
    """What was ranked for the first page, and is for those that follow: what came since would move them."""

    newest: Place | None
    oldest: Place | None
    """Nothing, if all that match are in it."""

    @property
    def bounds(self) -> list[Document]:
        return [
            bound
            for place, within, beyond in ((self.newest, "$lte", "$gt"), (self.oldest, "$gte", "$lt"))
            if place is not None
            for bound in (
                {"posted_date": {within: place[0]}},
                {"$nor": [{"posted_date": place[0], "_id": {beyond: place[1]}}]},
            )
        ]


class Ranking:
    def __init__(
        self, jobs: Jobs, query: JobQuery, most: int = RANKED, looked_through: int = LOOKED_THROUGH
    ) -> None:
        self.jobs = jobs
        self.query = query
        self.most = most
        self.looked_through = looked_through
        self.score = Score.of(query)
        self._about = f"ranking {query!r}"

    async def page(self, limit: int, cursor: str | None, fields: Iterable[str] = ()) -> Page:
        """Some of the postings that match, each with its score."""
        if cursor is None:
            return await self._first(limit, fields)
        match place_in(cursor, self._about):
            case {"v": datetime() as posted, "i": ObjectId() as which, **more} if not more:
                return await self._older([], (posted, which), limit, fields)
            case {"s": float() as score, "l": last, "n": newest, "o": oldest, **more} if not more:
                window = Window(_place(newest), None if oldest is None else _place(oldest))
                left = Ranked(score, *_place(last))
                # What came in among them meanwhile must not push the oldest of them out.
                ranked = await self._ranked(window, self.most + self.looked_through)
                ranked = [one for one in ranked if one < left]
                return await self._best(ranked, window, limit, fields)
        raise InvalidCursor

    async def _first(self, limit: int, fields: Iterable[str]) -> Page:
        end, most = None, self.most
        if self.jobs.is_led(self.query):
            # All that are looked through match.
            most = min(most, self.looked_through)
        else:
            end = await self.jobs.place_of(self.query, self.looked_through)
        ranked = await self._ranked(Window(None, end), most)
        places = [one.place for one in ranked]
        oldest = min(places) if len(ranked) == most else end
        return await self._best(ranked, Window(max(places, default=None), oldest), limit, fields)

    async def _best(
        self, ranked: Iterable[Ranked], window: Window, limit: int, fields: Iterable[str]
    ) -> Page:
        left = sorted(ranked, reverse=True)
        chosen = left[:limit]
        documents = await self._documents(chosen, fields)
        if len(left) > limit:
            place = {"s": chosen[-1].score, "l": chosen[-1].place, "n": window.newest, "o": window.oldest}
            return Page(documents, written(place, self._about))
        if window.oldest:
            return await self._older(documents, window.oldest, limit, fields)
        return Page(documents, None)

    async def _ranked(self, window: Window, most: int) -> list[Ranked]:
        """Without the postings themselves, which are most of what it would take to fetch."""
        relevant = {"$setIntersection": ["$" + TAGS, {"$literal": self.score.tags}]}
        # Thousands are alike.
        scores = _Scores(self.score)
        found = await self.jobs.newest(
            self.query, most, shown={"posted_date": 1, "relevant": relevant}, also=window.bounds
        )
        return [
            Ranked(scores[tuple(posting.get("relevant") or ())], posting["posted_date"], posting["_id"])
            for posting in found
        ]

    async def _older(
        self, documents: list[Document], after: Place, limit: int, fields: Iterable[str]
    ) -> Page:
        """What comes after all that was ranked, the newest first."""
        room = limit - len(documents)
        shown = {**dict.fromkeys((*fields, "posted_date"), 1), TAGS: 1} if fields else WITH_TAGS
        found = await self.jobs.newest(self.query, room + 1, shown=shown, after=after)
        documents += [{**posting, SCORE: self.score(posting[SEARCH]["tags"])} for posting in found[:room]]
        if len(found) <= room:
            return Page(documents, None)
        posted, which = (found[room - 1]["posted_date"], found[room - 1]["_id"]) if room else after
        return Page(documents, written({"v": posted, "i": which}, self._about))

    async def _documents(self, chosen: Sequence[Ranked], fields: Iterable[str]) -> list[Document]:
        """What has gone since it was ranked is left out."""
        shown = dict.fromkeys(fields, 1) or self.jobs.spec.shown
        with driver_errors():
            found = await self.jobs.mongo.find(
                self.jobs.spec.name,
                {"_id": {"$in": [one.which for one in chosen]}},
                projection=shown,
                batch_size=len(chosen) + 1,
            )
        by_id = {posting["_id"]: posting for posting in found}
        return [{**by_id[one.which], SCORE: one.score} for one in chosen if one.which in by_id]


class _Scores(dict[tuple[str, ...], float]):
    def __init__(self, score: Score) -> None:
        self.score = score

    def __missing__(self, tags: tuple[str, ...]) -> float:
        self[tags] = found = self.score(tags)
        return found


def _place(value: Any) -> Place:
    match value:
        case [datetime() as posted, ObjectId() as which]:
            return posted, which
    raise InvalidCursor
