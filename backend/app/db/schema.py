"""THE TABLE: every collection, what is unique in it, what it belongs to, and the lists it is read by."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, get_args

from pydantic import BaseModel

from backend.app.models.base import Document
from backend.app.models.ingest_runs import IngestRun
from backend.app.models.interactions import Interaction
from backend.app.models.job_matches import JobMatch
from backend.app.models.jobs import Job
from backend.app.models.saved_searches import SavedSearch
from backend.app.models.stats import UserStats
from backend.app.models.users import User
from backend.app.models.view import View, entity_tag, to_json, view_of

Key = tuple[str, ...]
IndexKeys = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Listing:
    """A list that clients read: equal on some fields, ordered by one, the id deciding between equals.

    It is also the index that serves it, page after page, so that none is declared without a reader.
    """

    where: Key
    order: str
    """A field; with a leading `-`, the greatest first."""

    @property
    def direction(self) -> int:
        return -1 if self.order.startswith("-") else 1

    @property
    def by(self) -> str:
        return self.order.lstrip("-")

    @property
    def sort(self) -> IndexKeys:
        return (self.by, self.direction), ("_id", self.direction)

    @property
    def keys(self) -> IndexKeys:
        return (*((name, 1) for name in self.where), *self.sort)


@dataclass(frozen=True, eq=False)
class Spec:
    """One collection. Indexes, parent checks, cascades, 404 and 409 follow from it."""

    name: str
    model: type[BaseModel]
    noun: str
    """What one is called when it is missing."""
    unique: tuple[Key, ...] = ()
    lists: tuple[Listing, ...] = ()
    exports: tuple[Key, ...] = ()
    """Fields to be equal on while reading on and on in order of ids, for exports and ingest runs."""
    belongs_to: Mapping[str, "Spec"] = field(default_factory=dict)
    """Field to parent: it must exist when a child is added, and takes the child along when it goes."""
    key: str = "_id"
    """The field by which clients name one."""
    changed_at: str | None = None
    """The field that holds the time of the last change."""

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset(self.model.model_fields)

    @cached_property
    def view(self) -> View:
        return view_of(self.model)

    def render(self, document: Document) -> bytes:
        return to_json(self.view(document))

    def entity_tag(self, document: Document) -> str:
        return entity_tag(self.render(document))

    @property
    def indexes(self) -> Iterator[tuple[IndexKeys, bool]]:
        """Every index but MongoDB's own on `_id`: its keys, and whether it is unique."""
        for unique in self.unique:
            yield tuple((name, 1) for name in unique), True
        for listing in self.lists:
            yield listing.keys, False
        for fields in self.exports:
            yield in_order_of_ids(fields), False

    @property
    def children(self) -> Iterator[tuple["Spec", str]]:
        """Each collection that belongs to this one, with the field that says so."""
        for spec in TABLE:
            for name, parent in spec.belongs_to.items():
                if parent is self:
                    yield spec, name

    def listing(self, names: Collection[str]) -> Listing:
        """The list that is read by just these fields."""
        return next(listing for listing in self.lists if set(listing.where) == set(names))

    def all_values(self, name: str) -> tuple[Any, ...]:
        """Everything that a field of a closed set can hold."""
        annotation = self.model.model_fields[name].annotation
        return (True, False) if annotation is bool else get_args(annotation)


def in_order_of_ids(fields: Key) -> IndexKeys:
    return (*((name, 1) for name in fields), ("_id", 1))


USERS = Spec(
    "users",
    User,
    "User",
    unique=(("email",),),
    lists=(Listing((), "created_at"),),
    changed_at="updated_at",
)
JOBS = Spec(
    "jobs",
    Job,
    "Job",
    unique=(("external_id",),),
    lists=(
        Listing(("is_active",), "-posted_date"),
        Listing(("source_platform", "is_active"), "-posted_date"),
    ),
    exports=(("source_platform", "is_active"),),
    changed_at="updated_at",
)
MATCHES = Spec(
    "job_matches",
    JobMatch,
    "Match",
    unique=(("user_id", "job_id"),),
    lists=(
        Listing((), "-relevancy_score"),
        Listing(("user_id", "is_active"), "-relevancy_score"),
        Listing(("job_id",), "-relevancy_score"),
    ),
    exports=(("user_id",), ("job_id",)),
    belongs_to={"user_id": USERS, "job_id": JOBS},
)
SEARCHES = Spec(
    "saved_searches",
    SavedSearch,
    "SavedSearch",
    lists=(Listing(("user_id",), "created_at"),),
    belongs_to={"user_id": USERS},
)
INTERACTIONS = Spec(
    "user_job_interactions",
    Interaction,
    "Interaction",
    unique=(("user_id", "job_id", "interaction_type"),),
    lists=(
        Listing(("user_id", "interaction_type"), "-timestamp"),
        Listing(("job_id", "interaction_type"), "-timestamp"),
    ),
    exports=(("user_id",), ("job_id",)),
    belongs_to={"user_id": USERS, "job_id": JOBS},
)
STATS = Spec(
    "user_stats",
    UserStats,
    "UserStats",
    unique=(("user_id",),),
    belongs_to={"user_id": USERS},
    key="user_id",
    changed_at="last_calculated",
)

RUNS = Spec(
    "ingest_runs",
    IngestRun,
    "IngestRun",
    lists=(Listing((), "-created_at"),),
)

TABLE = (USERS, JOBS, MATCHES, SEARCHES, INTERACTIONS, STATS, RUNS)


@dataclass(frozen=True)
class Ledger:
    """What the service notes for itself, and no client sees."""

    name: str
    about: str
    kept: timedelta | None = None
    """How long after the time in its `at`; for good, or until it is dealt with, without."""


REMOVALS = Ledger("removals", "Documents removed lately, for children that come too late.")
ANSWERS = Ledger("idempotency_answers", "The first answer to each Idempotency-Key.", kept=timedelta(hours=24))
STEPS = Ledger(
    "idempotency_steps",
    "What each batch of a bulk call under an Idempotency-Key came to.",
    # Longer than the answer that is put together from them.
    kept=timedelta(hours=25),
)
SIGHTINGS = Ledger("ingest_sightings", "Which postings an ingest run has seen.", kept=timedelta(days=14))
LEDGERS = (REMOVALS, ANSWERS, STEPS, SIGHTINGS)
