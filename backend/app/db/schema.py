"""THE TABLE: every collection, what is unique in it, what it belongs to, and the lists it is read by."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, get_args

from pydantic import BaseModel

from backend.app.models.base import Document
from backend.app.models.ingest_runs import IngestRun
from backend.app.models.interactions import Interaction
from backend.app.models.job_matches import JobMatch
from backend.app.models.jobs import Job
from backend.app.models.saved_searches import LIVE, SavedSearch
from backend.app.models.searchable import FIELDS, HIGH, SEARCH, SOURCES, TAGS, TITLE, WORDS, searchable
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
    holds: tuple[type, ...] = (datetime, float, int)
    """What the field may be."""

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
    def reversed(self) -> "Listing":
        """The same from its other end, off the same index."""
        return replace(self, order=self.by if self.direction < 0 else f"-{self.by}")

    @property
    def keys(self) -> IndexKeys:
        return (*((name, 1) for name in self.where), *self.sort)


@dataclass(frozen=True)
class Derived:
    """What is worked out from a document whenever it is written, and stored in it for queries."""

    field: str
    sources: frozenset[str]
    """The fields that it is worked out from."""
    make: Callable[[Document], Document]
    fields: Mapping[str, tuple[str, str]]
    """What is in it: of which type, and what it says."""


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
    counted: tuple[Key, ...] = ()
    """Fields to count by: what is equal on all but the last, between two values of that."""
    belongs_to: Mapping[str, "Spec"] = field(default_factory=dict)
    """Field to parent: it must exist when a child is added, and takes the child along when it goes."""
    key: str = "_id"
    """The field by which clients name one."""
    changed_at: str | None = None
    """The field that holds the time of the last change."""
    in_stats: bool = False
    """Whether the stats of the user that one belongs to are worked out from it."""
    derived: Derived | None = None
    live: frozenset[str] = frozenset()
    """Fields that are worked out whenever one is shown, and are never what a change was made from."""

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset(self.model.model_fields)

    @cached_property
    def view(self) -> View:
        return view_of(self.model)

    def render(self, document: Document) -> bytes:
        return to_json(self.view(document))

    def entity_tag(self, document: Document, rendered: bytes | None = None) -> str:
        """In two parts, if some of what is shown is live: the first is about what is stored."""
        tag = entity_tag(rendered or self.render(document))
        if not self.live:
            return tag
        stored = {name: value for name, value in self.view(document).items() if name not in self.live}
        return entity_tag(to_json(stored))[:-1] + tag[1:]

    def is_tagged(self, document: Document, tag: str) -> bool:
        """Whether a tag is that of the document as it is stored, whatever has become of what is live."""
        own = self.entity_tag(document)
        same = len(own) // 2 if self.live else len(own)
        return len(tag) == len(own) and tag[:same] == own[:same]

    @cached_property
    def shown(self) -> Mapping[str, int] | None:
        """The projection of whoever reads documents to show them: what is derived can be most of them."""
        return {self.derived.field: 0} if self.derived else None

    def complete(self, document: Document) -> Document:
        """With what is derived from it."""
        if self.derived is None:
            return document
        return {**document, self.derived.field: self.derived.make(document)}

    @property
    def indexes(self) -> Iterator[tuple[IndexKeys, bool]]:
        """Every index but MongoDB's own on `_id`: its keys, and whether it is unique."""
        for unique in self.unique:
            yield tuple((name, 1) for name in unique), True
        for listing in self.lists:
            yield listing.keys, False
        for fields in self.exports:
            yield in_order_of_ids(fields), False
        for fields in self.counted:
            yield tuple((name, 1) for name in fields), False

    @property
    def children(self) -> Iterator[tuple["Spec", str]]:
        """Each collection that belongs to this one, with the field that says so."""
        for spec in TABLE:
            for name, parent in spec.belongs_to.items():
                if parent is self:
                    yield spec, name

    def listing(self, names: Collection[str]) -> Listing:
        """The list that is read by just these fields, the first of them if it has several orders."""
        return next(listing for listing in self.lists if set(listing.where) == set(names))

    def index_of(self, listing: Listing) -> dict[str, int]:
        """The keys of the index that a list is read off, from its one end or the other."""
        return dict((listing if listing in self.lists else listing.reversed).keys)

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
        Listing(("is_active", TAGS), "-posted_date"),
        Listing(("is_active", WORDS), "-posted_date"),
        Listing(("is_active",), f"-{HIGH}"),
        Listing(("is_active",), TITLE, holds=(str,)),
    ),
    exports=(("source_platform", "is_active"),),
    counted=(("updated_at",),),
    changed_at="updated_at",
    derived=Derived(SEARCH, SOURCES, searchable, FIELDS),
)
MATCHES = Spec(
    "job_matches",
    JobMatch,
    "Match",
    unique=(("user_id", "job_id"),),
    lists=(
        Listing((), "-relevancy_score"),
        Listing(("user_id", "is_active"), "-relevancy_score"),
        Listing(("user_id", "is_active"), "-matched_at"),
        Listing(("job_id",), "-relevancy_score"),
    ),
    exports=(("user_id",), ("job_id",)),
    belongs_to={"user_id": USERS, "job_id": JOBS},
    in_stats=True,
)
SEARCHES = Spec(
    "saved_searches",
    SavedSearch,
    "SavedSearch",
    lists=(Listing(("user_id",), "created_at"),),
    belongs_to={"user_id": USERS},
    live=LIVE,
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
    counted=(("interaction_type", "timestamp"),),
    belongs_to={"user_id": USERS, "job_id": JOBS},
    in_stats=True,
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
STANDING = Ledger(
    "standing_answers",
    "What takes long to work out, such as the overview, and who is working it out anew.",
    kept=timedelta(hours=24),
)
FINDINGS = Ledger(
    "findings",
    "Which postings a saved search found when they were last counted, of those that take long to count.",
    kept=timedelta(days=7),
)
REMOVED_JOBS = Ledger(
    "removed_jobs",
    "Postings removed lately, which may still be among the findings.",
    # Longer than those.
    kept=timedelta(days=8),
)
LEDGERS = (REMOVALS, ANSWERS, STEPS, SIGHTINGS, STANDING, FINDINGS, REMOVED_JOBS)
