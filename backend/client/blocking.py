"""The client for scripts: the asynchronous one, on a loop of its own that runs only while a call is made.

No thread is started, and items are taken in the thread that asks for their outcomes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager, suppress
from functools import wraps
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

import httpx

from backend.client.asynchronous import AsyncClient
from backend.client.connection import TIMEOUT
from backend.client.ingestion import AsyncIngestion, Outcome, Summary
from backend.client.resources import (
    AsyncInteractions,
    AsyncJobs,
    AsyncMatches,
    AsyncSavedSearches,
    AsyncUsers,
)
from backend.client.retrying import Retry
from backend.client.runs import AsyncIngestRuns
from backend.client.streams import AsyncStream

T = TypeVar("T")
P = ParamSpec("P")
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Loop:
    """An event loop that stands still between calls."""

    def __init__(self) -> None:
        # Made by hand, so that it does not become the thread's own.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.closed = False

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            raise LoopRunning

        async def worked() -> T:
            return await work()

        loop = self._runner.get_loop()
        task = loop.create_task(worked())
        try:
            return loop.run_until_complete(task)
        except BaseException:
            # Ctrl-C comes at any point, perhaps in another task: this one must not stay halfway.
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    loop.run_until_complete(task)
            elif not task.cancelled():
                task.exception()
            raise

    def close(self) -> None:
        self.closed = True
        self._runner.close()


class LoopRunning(Exception):
    """Client cannot wait where an event loop runs, as in a coroutine or a notebook: use AsyncClient there."""

    def __str__(self) -> str:
        return str(self.__doc__)


class Driven(Generic[A_co]):
    """What does in a blocking way what another does asynchronously."""

    def __init__(self, loop: Loop, other: A_co) -> None:
        self._loop = loop
        self._other = other


class Stream(Driven[AsyncStream[T]]):
    """To be gone through once, as it comes in: singly, or in the batches that it comes in."""

    def batches(self) -> Iterator[Sequence[T]]:
        batches = self._other.batches()
        try:
            while (batch := self._loop.run(lambda: anext(batches, None))) is not None:
                yield batch
        finally:
            # Else it was closed with the loop.
            if not self._loop.closed:
                self._loop.run(batches.aclose)

    def __iter__(self) -> Iterator[T]:
        for batch in self.batches():
            yield from batch


def waited(
    method: Callable[Concatenate[A, P], Awaitable[T]],
) -> Callable[Concatenate[Driven[A], P], T]:
    @wraps(method)
    def call(self: Driven[A], /, *given: P.args, **named: P.kwargs) -> T:
        return self._loop.run(lambda: method(self._other, *given, **named))

    return call


def streamed(
    method: Callable[Concatenate[A, P], AsyncStream[T]],
) -> Callable[Concatenate[Driven[A], P], Stream[T]]:
    @wraps(method)
    def call(self: Driven[A], /, *given: P.args, **named: P.kwargs) -> Stream[T]:
        return Stream(self._loop, method(self._other, *given, **named))

    return call


def entered(
    method: Callable[Concatenate[A, P], AbstractAsyncContextManager[T]],
) -> Callable[Concatenate[Driven[A], P], AbstractContextManager[T]]:
    @contextmanager
    def call(self: Driven[A], /, *given: P.args, **named: P.kwargs) -> Iterator[T]:
        manager = method(self._other, *given, **named)
        value = self._loop.run(manager.__aenter__)
        try:
            yield value
        except BaseException as error:
            failure = error
            self._loop.run(lambda: manager.__aexit__(type(failure), failure, failure.__traceback__))
            raise
        self._loop.run(lambda: manager.__aexit__(None, None, None))

    return wraps(method)(call)


class Ingestion(Stream[Outcome]):
    """Items on their way: goes on as its outcomes are asked for, in the order of the items."""

    _other: AsyncIngestion

    @property
    def summary(self) -> Summary:
        """Of the outcomes so far."""
        return self._other.summary

    def finish(self) -> Summary:
        """Send whatever is left, and tell what became of it all."""
        return self._loop.run(self._other.finish)


def ingested(
    method: Callable[Concatenate[A, P], AsyncIngestion],
) -> Callable[Concatenate[Driven[A], P], Ingestion]:
    @wraps(method)
    def call(self: Driven[A], /, *given: P.args, **named: P.kwargs) -> Ingestion:
        return Ingestion(self._loop, method(self._other, *given, **named))

    return call


class Users(Driven[AsyncUsers]):
    create = waited(AsyncUsers.create)
    get = waited(AsyncUsers.get)
    patch = waited(AsyncUsers.patch)
    replace = waited(AsyncUsers.replace)
    delete = waited(AsyncUsers.delete)
    list = streamed(AsyncUsers.list)
    stats = waited(AsyncUsers.stats)
    export = streamed(AsyncUsers.export)
    export_lines = streamed(AsyncUsers.export_lines)


class Jobs(Driven[AsyncJobs]):
    create = waited(AsyncJobs.create)
    get = waited(AsyncJobs.get)
    patch = waited(AsyncJobs.patch)
    replace = waited(AsyncJobs.replace)
    delete = waited(AsyncJobs.delete)
    list = streamed(AsyncJobs.list)
    ingest = ingested(AsyncJobs.ingest)
    export = streamed(AsyncJobs.export)
    export_lines = streamed(AsyncJobs.export_lines)


class Matches(Driven[AsyncMatches]):
    create = waited(AsyncMatches.create)
    get = waited(AsyncMatches.get)
    patch = waited(AsyncMatches.patch)
    delete = waited(AsyncMatches.delete)
    list = streamed(AsyncMatches.list)
    of_user = streamed(AsyncMatches.of_user)
    of_job = streamed(AsyncMatches.of_job)
    ingest = ingested(AsyncMatches.ingest)
    export = streamed(AsyncMatches.export)
    export_lines = streamed(AsyncMatches.export_lines)


class SavedSearches(Driven[AsyncSavedSearches]):
    create = waited(AsyncSavedSearches.create)
    get = waited(AsyncSavedSearches.get)
    patch = waited(AsyncSavedSearches.patch)
    replace = waited(AsyncSavedSearches.replace)
    delete = waited(AsyncSavedSearches.delete)
    of_user = streamed(AsyncSavedSearches.of_user)


class Interactions(Driven[AsyncInteractions]):
    create = waited(AsyncInteractions.create)
    get = waited(AsyncInteractions.get)
    patch = waited(AsyncInteractions.patch)
    delete = waited(AsyncInteractions.delete)
    of_user = streamed(AsyncInteractions.of_user)
    of_job = streamed(AsyncInteractions.of_job)
    ingest = ingested(AsyncInteractions.ingest)
    export = streamed(AsyncInteractions.export)
    export_lines = streamed(AsyncInteractions.export_lines)


class IngestRuns(Driven[AsyncIngestRuns]):
    open = waited(AsyncIngestRuns.open)
    get = waited(AsyncIngestRuns.get)
    complete = waited(AsyncIngestRuns.complete)
    abort = waited(AsyncIngestRuns.abort)
    list = streamed(AsyncIngestRuns.list)
    during = entered(AsyncIngestRuns.during)


class Client:
    """The API at `url`, else at $AIJOBHUNT_URL, else at http://127.0.0.1:8000. For one thread at a time."""

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
        self._loop = loop = Loop()
        self._client = client = AsyncClient(
            url, api_key=api_key, headers=headers, timeout=timeout, retry=retry, transport=transport
        )
        self.users = Users(loop, client.users)
        self.jobs = Jobs(loop, client.jobs)
        self.matches = Matches(loop, client.matches)
        self.saved_searches = SavedSearches(loop, client.saved_searches)
        self.interactions = Interactions(loop, client.interactions)
        self.ingest_runs = IngestRuns(loop, client.ingest_runs)

    @property
    def url(self) -> str:
        return self._client.url

    def require_answer(self) -> None:
        """Raise at once if no server is there, or one that is something else."""
        self._loop.run(self._client.require_answer)

    def close(self) -> None:
        self._loop.run(self._client.aclose)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
