"""What a route may ask for by type: a collection, the part of a list, the entity tags that a client holds."""

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Literal

from bson import ObjectId
from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from backend.app.db.collection import Collection
from backend.app.db.feed import Wanted
from backend.app.db.ingest_runs import Runs
from backend.app.db.job_matches import Matches
from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.saved_searches import Searches
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, RUNS, SEARCHES, STATS, TABLE, USERS, Spec
from backend.app.db.standing import Standing
from backend.app.db.stats import Stats
from backend.app.db.users import Users
from backend.app.models.conditions import JobQuery
from backend.app.models.interactions import InteractionType
from backend.app.models.job_filters import ACTIVITIES, Activity, JobFields, JobFilters, apart
from backend.app.models.job_matches import FeedOrder
from backend.app.models.scores import Score

KINDS: dict[Spec, type[Collection]] = {USERS: Users, MATCHES: Matches, STATS: Stats, RUNS: Runs}


def collections(mongo: Mongo) -> dict[Spec, Collection]:
    """Every collection of the table, ready for use."""
    jobs = Jobs(mongo, JOBS)
    others = {spec: KINDS.get(spec, Collection)(mongo, spec) for spec in TABLE}
    return {**others, JOBS: jobs, SEARCHES: Searches(mongo, SEARCHES, jobs)}


def use(spec: Spec) -> Callable[[Request], Collection]:
    def collection(request: Request) -> Collection:
        found: Collection = request.app.state.collections[spec]
        return found

    return collection


UsersDep = Annotated[Users, Depends(use(USERS))]
JobsDep = Annotated[Jobs, Depends(use(JOBS))]
MatchesDep = Annotated[Matches, Depends(use(MATCHES))]
SearchesDep = Annotated[Searches, Depends(use(SEARCHES))]
InteractionsDep = Annotated[Collection, Depends(use(INTERACTIONS))]
StatsDep = Annotated[Stats, Depends(use(STATS))]
RunsDep = Annotated[Runs, Depends(use(RUNS))]


def standing(request: Request) -> Standing:
    found: Standing = request.app.state.standing
    return found


StandingDep = Annotated[Standing, Depends(standing)]

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="Go ahead only if this is still the entity tag of the document; else 412.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="Answer 304, without a body, if this is still the entity tag."),
]


class ListQuery(BaseModel):
    """Which part of a list, and how much of it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """At most so many."""
    cursor: str | None = None
    """Where to go on: taken from the `Link` header of the page before."""
    count: bool = False
    """Add `X-Total-Count`: how many there are in all."""


Listed = Annotated[ListQuery, Query()]


class ByActivity(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    is_active: Activity = "true"
    """Active ones, inactive ones, or any."""

    @property
    def active(self) -> bool | None:
        return ACTIVITIES[self.is_active]


class ActiveListQuery(ListQuery, ByActivity):
    """A list that shows active ones unless asked."""


BEST: Literal["-score"] = "-score"
JobOrder = Literal["-posted_date", "posted_date", "-salary", "title", "-score"]


class FoundListQuery(ListQuery):
    """A list of postings that were found: in which order, and what of each."""

    sort: JobOrder | None = None
    """Newest first, unless said; with `q`, `-score`: of the newest 2,000 that match the best first, then
    those older. `-salary` is by the most that a posting pays, in any currency; what names none is last."""
    fields: JobFields = []
    """Only these fields of each, its `id`, and its `score` if it has one: names, with commas between."""

    def order(self, asked: JobQuery) -> JobOrder:
        return self.sort or (BEST if Score.of(asked).words else "-posted_date")


class JobListQuery(JobFilters, FoundListQuery, ByActivity):
    """A list of postings: which, in which order, and what of each."""

    @cached_property
    def asked(self) -> JobQuery:
        return self.query(self.active)


JobsListed = Annotated[JobListQuery, Query()]


class JobFacetsQuery(JobFilters, ByActivity):
    """Which postings to count, and how much to tell."""

    top: Annotated[int, Field(ge=1, le=200)] = 20
    """At most so many values of each facet."""


JobsCounted = Annotated[JobFacetsQuery, Query()]


class SearchJobsQuery(FoundListQuery):
    new: bool = False
    """Only those that came in since the search was last `viewed`, or since it was saved."""


SearchJobsListed = Annotated[SearchJobsQuery, Query()]


class FeedQuery(JobFilters, ActiveListQuery):
    """A list of a user's matches: which, by themselves, their postings and what the user did with those."""

    sort: FeedOrder = "-relevancy_score"
    """Best score first, or the latest first."""
    min_score: Annotated[FiniteFloat, Field(ge=0, le=1)] | None = None
    """Only those with this `relevancy_score` or more."""
    exclude: Annotated[list[InteractionType], BeforeValidator(apart)] = []
    """Leave out postings that the user has `viewed`, `saved` and so on: names, with commas between them."""
    job_is_active: Activity = "any"
    """Only those whose posting is active, or is not; or any."""
    expand: Literal["job"] | None = None
    """Show the posting of each, as `job`."""

    def of(self, user: ObjectId) -> Wanted:
        asked = self.query(ACTIVITIES[self.job_is_active])
        return Wanted(user, self.active, self.sort, self.min_score, frozenset(self.exclude), asked)


FeedListed = Annotated[FeedQuery, Query()]


class InteractionListQuery(ListQuery):
    interaction_type: InteractionType | None = None
    """Only those of this type."""


InteractionsListed = Annotated[InteractionListQuery, Query()]
