"""Postings: found by a query, in each order that lists have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bson import ObjectId
from pymongo import UpdateOne

from backend.app.db.collection import Collection
from backend.app.db.failures import driver_errors
from backend.app.db.filters import EXAMPLES, Route, route
from backend.app.db.frequencies import Frequencies
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.paging import Page, Reading
from backend.app.db.schema import FINDINGS, Listing, Spec
from backend.app.models.base import REVISION, Document
from backend.app.models.conditions import JobQuery
from backend.app.models.searchable import HIGH, NOT_PAID, SEARCH, TAGS, TEXT, TITLE, WORDS

NEWEST = "-posted_date"
ORDERS = {NEWEST: NEWEST, "posted_date": "posted_date", "-salary": f"-{HIGH}", "title": TITLE}
"""What clients may order a list by, and what that is in the table."""
ORDERED_BY_WHAT_IS_DERIVED = {"-salary": NOT_PAID, "title": ""}
"""And the least that there is of that."""
# Of a page: to find the next one, it takes what this one is ordered by.
WITH_ORDER = dict.fromkeys((WORDS, TAGS, TEXT), 0)


MOST_COUNTED = 10_000
"""Totals of facets and saved searches are told up to here."""
# Between which others have their turn.
CAUGHT_UP_AT_A_TIME = 50


Place = tuple[datetime, ObjectId]
"""Of a posting among the newest."""


class Jobs(Collection):
    def __init__(self, mongo: Mongo, spec: Spec) -> None:
        super().__init__(mongo, spec)
        self.frequencies = Frequencies()
        either = [either for listing in spec.lists for either in (listing, listing.reversed)]
        self._listings = {(listing.where, listing.order): listing for listing in either}

    async def search(
        self,
        query: JobQuery,
        order: str,
        limit: int,
        cursor: str | None = None,
        fields: Iterable[str] = (),
    ) -> Page:
        """Some of the postings that match, in an order other than that of their score."""
        way = await self._route(query)
        derived = order in ORDERED_BY_WHAT_IS_DERIVED
        # To read off the order and leave out what does not match, or to sort what matches: whichever is less.
        sorts = derived and way.lead is not None and self.frequencies.is_few(way.share, limit)
        if derived and not sorts:
            way = replace(way, lead=None)
        reading = self._reading(way, order)
        if derived:
            # What has not been caught up with has no place in this order.
            there = {reading.listing.by: {"$gte": ORDERED_BY_WHAT_IS_DERIVED[order]}}
            reading = replace(reading, also=[*reading.also, there])
        read_off = self._listing(way, NEWEST) if sorts else reading.listing
        most = limit + 1
        with driver_errors():
            found = await self.mongo.find(
                self.spec.name,
                reading.query(cursor),
                projection=self._shown(fields, order),
                sort=reading.listing.sort,
                limit=most,
                batch_size=most,
                hint=self.spec.index_of(read_off),
            )
        more = reading.cursor_after(found[limit - 1]) if len(found) > limit else None
        return Page(found[:limit], more)

    async def newest(
        self,
        query: JobQuery,
        most: int,
        *,
        shown: Document | None = None,
        also: Sequence[Document] = (),
        after: Place | None = None,
    ) -> list[Document]:
        """The newest that match."""
        way = await self._route(query)
        listing = self._listing(way, NEWEST)
        reading = Reading(self.spec, listing, way.where, [*way.also, *also], way.within)
        with driver_errors():
            return await self.mongo.find(
                self.spec.name,
                reading.query_after(after),
                projection=shown or self.spec.shown,
                sort=listing.sort,
                limit=most,
                batch_size=most,
                hint=self.spec.index_of(listing),
            )

    def is_led(self, query: JobQuery) -> bool:
        """Whether all that an index leads to match."""
        return not route(query, self.frequencies).also

    async def place_of(self, query: JobQuery, number: int) -> Place | None:
        """Where, among the newest, the first so many end that have to be looked through for what matches."""
        way = route(query, self.frequencies)
        listing = self._listing(way, NEWEST)
        reading = Reading(self.spec, listing, way.where)
        with driver_errors():
            found = await self.mongo.find(
                self.spec.name,
                reading.query(None),
                projection={"posted_date": 1},
                sort=listing.sort,
                skip=number - 1,
                limit=1,
                hint=self.spec.index_of(listing),
            )
        return (found[0]["posted_date"], found[0]["_id"]) if found else None

    async def count_matching(self, query: JobQuery, most: int | None = None) -> int:
        """How many match; no more than so many, if it is said how many are enough."""
        way = await self._route(query)
        reading = self._reading(way, NEWEST)
        pipeline: list[Document] = [{"$match": reading.query(None)}]
        if most is not None:
            pipeline.append({"$limit": most})
        with driver_errors():
            found = await self.mongo.aggregate(
                self.spec.name, [*pipeline, {"$count": "n"}], hint=self.spec.index_of(reading.listing)
            )
        return int(found[0]["n"]) if found else 0

    async def catch_up(self) -> None:
        """Work out what is derived for postings from before it was."""
        where = {"is_active": {"$in": [True, False]}, TITLE: None}
        hint = self.spec.index_of(self._listings[("is_active",), TITLE])
        while True:
            with deadline(self.mongo.settings.bulk_deadline), driver_errors():
                found = await self.mongo.find(self.spec.name, where, hint=hint, limit=CAUGHT_UP_AT_A_TIME)
                if not found:
                    return
                await self.write("bulk_write", [_completed(self.spec, old) for old in found], ordered=False)
                # They were not among what was found until now.
                await self.mongo.write(FINDINGS.name, "delete_many", {})

    async def ids_matching(self, query: JobQuery, most: int) -> list[ObjectId]:
        """Of the newest that match."""
        reading = self._reading(await self._route(query), NEWEST)
        match: Document = {"$match": reading.query(None)}
        pipeline: list[Document] = [match, {"$limit": most}, {"$project": {"_id": 1}}]
        with driver_errors():
            found = await self.mongo.aggregate(
                self.spec.name, pipeline, slow=True, hint=self.spec.index_of(reading.listing)
            )
        return [posting["_id"] for posting in found]

    async def _route(self, query: JobQuery) -> Route:
        way = route(query, self.frequencies)
        if query.since is None:
            return way
        # To look for them in the order of a list takes going through all of it, which is seldom worth it.
        new = {"_id": EXAMPLES, "created_at": {"$gt": query.since}}
        with driver_errors():
            found = await self.mongo.find(
                self.spec.name, new, projection={"_id": 1}, hint={"_id": 1}, limit=1
            )
        return replace(way, among_examples=bool(found))

    def _reading(self, way: Route, order: str) -> Reading:
        listing = self._listing(way, order)
        return Reading(self.spec, listing, way.where, way.also, way.within, asked=repr(way.query))

    def _listing(self, way: Route, order: str) -> Listing:
        """The list by what leads, in an order."""
        where, by = tuple(way.where), ORDERS[order]
        if (where, by) in self._listings:
            return self._listings[where, by]
        # No index holds these in that order: they will have to be sorted.
        return replace(self._listings[("is_active",), by], where=where)

    def _shown(self, fields: Iterable[str], order: str) -> Mapping[str, int] | None:
        if not fields:
            return WITH_ORDER if order in ORDERED_BY_WHAT_IS_DERIVED else self.spec.shown
        return dict.fromkeys((*fields, ORDERS[order].lstrip("-")), 1)


def _completed(spec: Spec, posting: Document) -> UpdateOne:
    """No change of the posting to anybody: its revision stays, and so does what holds on to that."""
    this = {"_id": posting["_id"], REVISION: posting.get(REVISION)}
    return UpdateOne(this, {"$set": {SEARCH: spec.complete(posting)[SEARCH]}})
