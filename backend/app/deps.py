"""What a route may ask for by type: a collection, the part of a list, the entity tags that a client holds."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from backend.app.db.collection import Collection
from backend.app.db.ingest_runs import Runs
from backend.app.db.job_matches import Matches
from backend.app.db.mongo import Mongo
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, RUNS, SEARCHES, STATS, TABLE, USERS, Spec
from backend.app.db.users import Users
from backend.app.models.interactions import InteractionType

KINDS: dict[Spec, type[Collection]] = {USERS: Users, MATCHES: Matches, RUNS: Runs}


def collections(mongo: Mongo) -> dict[Spec, Collection]:
    """Every collection of the table, ready for use."""
    return {spec: KINDS.get(spec, Collection)(mongo, spec) for spec in TABLE}


def use(spec: Spec) -> Callable[[Request], Collection]:
    def collection(request: Request) -> Collection:
        found: Collection = request.app.state.collections[spec]
        return found

    return collection


UsersDep = Annotated[Users, Depends(use(USERS))]
JobsDep = Annotated[Collection, Depends(use(JOBS))]
MatchesDep = Annotated[Matches, Depends(use(MATCHES))]
SearchesDep = Annotated[Collection, Depends(use(SEARCHES))]
InteractionsDep = Annotated[Collection, Depends(use(INTERACTIONS))]
StatsDep = Annotated[Collection, Depends(use(STATS))]
RunsDep = Annotated[Runs, Depends(use(RUNS))]

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


Activity = Literal["true", "false", "any"]


class ByActivity(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    is_active: Activity = "true"
    """Active ones, inactive ones, or any."""

    @property
    def active(self) -> bool | None:
        return {"true": True, "false": False, "any": None}[self.is_active]


class ActiveListQuery(ListQuery, ByActivity):
    """A list that shows active ones unless asked."""


ActiveListed = Annotated[ActiveListQuery, Query()]


class JobListQuery(ActiveListQuery):
    source_platform: str | None = None
    """Only those from this platform."""


JobsListed = Annotated[JobListQuery, Query()]


class InteractionListQuery(ListQuery):
    interaction_type: InteractionType | None = None
    """Only those of this type."""


InteractionsListed = Annotated[InteractionListQuery, Query()]
