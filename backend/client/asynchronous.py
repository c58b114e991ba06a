"""The client for asyncio."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx

from backend.client.connection import TIMEOUT, Connection
from backend.client.failures import UnexpectedAnswer
from backend.client.resources import (
    AsyncInteractions,
    AsyncJobs,
    AsyncMatches,
    AsyncSavedSearches,
    AsyncUsers,
)
from backend.client.retrying import Retry
from backend.client.runs import AsyncIngestRuns


class AsyncClient:
    """The API at `url`, else at $AIJOBHUNT_URL, else at http://127.0.0.1:8000."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout = TIMEOUT,
        retry: Retry = Retry(),  # noqa: B008 - frozen
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(
            url, api_key=api_key, headers=headers, timeout=timeout, retry=retry, transport=transport
        )
        self.users = AsyncUsers(self._connection)
        self.jobs = AsyncJobs(self._connection)
        self.matches = AsyncMatches(self._connection)
        self.saved_searches = AsyncSavedSearches(self._connection)
        self.interactions = AsyncInteractions(self._connection)
        self.ingest_runs = AsyncIngestRuns(self._connection)

    @property
    def url(self) -> str:
        return self._connection.url

    async def require_answer(self) -> None:
        """Raise at once if no server is there, or one that is something else."""
        response = await self._connection.once("/livez")
        if not response.is_success:
            raise UnexpectedAnswer(self.url, f"{response.status_code} at /livez")

    async def aclose(self) -> None:
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
