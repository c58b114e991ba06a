"""Ingest runs: one crawl of one source, at whose end the postings that it did not see are closed."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

from backend.client.connection import Call, Connection
from backend.client.failures import ClientFailure, UnexpectedAnswer
from backend.client.ingestion import Summary
from backend.client.resources import listed
from backend.client.streams import AsyncStream

PATH = "/ingest-runs/"
MAX_CLOSE_RATIO = 0.5


@dataclass(frozen=True)
class IngestRun:
    id: str
    source_platform: str
    opened_by: str | None
    status: Literal["open", "completing", "completed", "aborted"]
    created_at: datetime
    ended_at: datetime | None
    counts: Summary
    closed: int | None
    """How many postings it took off the list; none until it is complete."""
    rejected_items: tuple[Mapping[str, Any], ...]
    """The first of them, with their reasons."""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        ended = told["ended_at"]
        return cls(
            told["id"],
            told["source_platform"],
            told["opened_by"],
            told["status"],
            datetime.fromisoformat(told["created_at"]),
            datetime.fromisoformat(ended) if ended else None,
            Summary(**told["counts"]),
            told["closed"],
            tuple(told["rejected_items"]),
        )


class AsyncIngestRuns:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open(self, source_platform: str, *, opened_by: str | None = None) -> IngestRun:
        document = {"source_platform": source_platform, "opened_by": opened_by}
        return await self._run(
            Call.post(PATH, {name: value for name, value in document.items() if value is not None})
        )

    async def get(self, run_id: str) -> IngestRun:
        return await self._run(Call("GET", PATH + run_id))

    async def complete(self, run_id: str, *, max_close_ratio: float = MAX_CLOSE_RATIO) -> IngestRun:
        """Close what the run did not see, unless that is more than so much of what is active: 409 then."""
        return await self._run(Call.post(f"{PATH}{run_id}/complete", max_close_ratio=max_close_ratio))

    async def abort(self, run_id: str) -> IngestRun:
        return await self._run(Call.post(f"{PATH}{run_id}/abort"))

    def list(self, /, **query: Any) -> AsyncStream[IngestRun]:
        """All of them, newest first."""
        return listed(self._connection, PATH, query, self._read)

    def during(
        self,
        source_platform: str,
        *,
        opened_by: str | None = None,
        max_close_ratio: float = MAX_CLOSE_RATIO,
    ) -> "AsyncOpenRun":
        """A block that is a run: complete at its end, aborted when it fails."""
        return AsyncOpenRun(self, source_platform, opened_by, max_close_ratio)

    async def _run(self, call: Call) -> IngestRun:
        return self._read(await self._connection.json(call))

    def _read(self, told: Mapping[str, Any]) -> IngestRun:
        try:
            return IngestRun.read(told)
        except (KeyError, TypeError, ValueError):
            raise UnexpectedAnswer(self._connection.url, "no ingest run") from None


class OpenRun:
    """A run as a block sees it."""

    def __init__(self, state: IngestRun) -> None:
        self.state = state
        """As it was opened; after the block, as it ended."""

    @property
    def id(self) -> str:
        return self.state.id


class AsyncOpenRun:
    def __init__(
        self, runs: AsyncIngestRuns, source_platform: str, opened_by: str | None, max_close_ratio: float
    ) -> None:
        self._runs = runs
        self._source_platform = source_platform
        self._opened_by = opened_by
        self._max_close_ratio = max_close_ratio

    async def __aenter__(self) -> OpenRun:
        self._run = OpenRun(await self._runs.open(self._source_platform, opened_by=self._opened_by))
        return self._run

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._run.state = await self._runs.complete(self._run.id, max_close_ratio=self._max_close_ratio)
            return
        # What went wrong in the block matters more, and a run that is left open closes nothing either.
        with suppress(ClientFailure):
            self._run.state = await self._runs.abort(self._run.id)
