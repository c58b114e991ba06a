"""Ingest runs: one crawl of one source, what it brought, and what it closed."""

from typing import Annotated, Literal

from annotated_types import Ge, Len
from pydantic import ConfigDict

from backend.app.models.base import Body, Count, RunId, Stored, Utc
from backend.app.models.faults import Fault

RunStatus = Literal["open", "completing", "completed", "aborted"]


class RunIn(Body):
    """A new ingest run."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"source_platform": "LinkedIn", "opened_by": "nightly crawl"}]}
    )

    source_platform: Annotated[str, Len(1, 255)]
    """Whose postings it brings, and may close."""
    opened_by: Annotated[str, Len(1, 255)] | None = None
    """Who or what opened it, in the client's own words."""


class RunCounts(Body):
    """How many items of its bulk calls came to what."""

    created: Count = 0
    updated: Count = 0
    unchanged: Count = 0
    rejected: Count = 0


class RejectedItem(Stored):
    """An item that was not taken."""

    index: Annotated[int, Ge(0)]
    """Which item of its bulk call: the first is 0."""
    external_id: Annotated[str, Len(0, 255)] | None
    errors: list[Fault]


class IngestRun(RunIn, Stored):
    """An ingest run, as stored."""

    id: RunId
    status: RunStatus = "open"
    """`completing` while it closes postings, or when that broke off: complete it again."""
    created_at: Utc
    ended_at: Utc | None = None
    """Null until it is completed or aborted."""
    counts: RunCounts = RunCounts()
    closed: Count | None = None
    """How many postings it closed; null until it begins to."""
    rejected_items: list[RejectedItem] = []
    """The first 100."""
