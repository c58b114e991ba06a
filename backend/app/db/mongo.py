"""The connection: which driver, its deadlines, its transactions. What differs between drivers is here."""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from contextvars import Context
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import pymongo
from motor.frameworks.asyncio import max_workers, run_on_executor
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from backend.app.config import Settings
from backend.app.errors import Overdue, Unavailable
from backend.app.models.base import Document

T = TypeVar("T")
Session = AsyncClientSession

# How long to look for a server before a request is told that there is none: well inside any deadline.
SELECTION_SECONDS = 2.0
# How long a transaction that is given up may take to let go of what it has locked.
SECONDS_TO_END = 2.0
KEPT_FOR_TRANSACTIONS = 2


class Mongo:
    """A connection to one database. Opening it makes no I/O: the app starts with the database down."""

    def __init__(self, settings: Settings, database: str) -> None:
        self.settings = settings
        self.driver = settings.mongo_driver
        options: dict[str, Any] = {
            "appname": "aijobhunt",
            "maxPoolSize": settings.mongo_pool_size,
            "serverSelectionTimeoutMS": int(min(SELECTION_SECONDS, settings.request_deadline) * 1000),
            "connectTimeoutMS": int(settings.request_deadline * 1000),
            "w": "majority",
        }
        make = AsyncIOMotorClient if self.driver == "motor" else AsyncMongoClient
        # Motor's classes mirror PyMongo's own; typed as those, since they are what stays.
        self.client = cast("AsyncMongoClient[Document]", make(settings.uri, **options))
        self.db: AsyncDatabase[Document] = self.client[database]
        self._collections: dict[str, AsyncCollection[Document]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        motor = self.driver == "motor"
        at_once = max_workers if motor else settings.mongo_pool_size
        # A write of what a transaction has touched waits inside MongoDB, and keeps a thread (Motor) or a
        # connection (PyMongo) meanwhile. Some are kept free for transactions, or all would wait for good.
        self._writing = asyncio.Semaphore(max(1, at_once - KEPT_FOR_TRANSACTIONS))
        # Motor's threads fight the event loop for the interpreter while they read: with ten at it instead of
        # one more than there are cores, a page takes a fifth longer.
        self._reading = asyncio.Semaphore((os.cpu_count() or 1) + 1 if motor else at_once)

    def __getitem__(self, name: str) -> AsyncCollection[Document]:
        # Motor takes as long to make a collection as to send a command on one.
        if name not in self._collections:
            self._collections[name] = self.db[name]
        return self._collections[name]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await asyncio.gather(*self._endings)
        closing = self.client.close()
        if closing is not None:
            await closing

    async def ping(self) -> None:
        # In less than a request may take: who asks whether all is well does not wait long for the answer.
        with driver_errors(), deadline(SELECTION_SECONDS):
            await self.db.command("ping")

    def writing(self, session: Session | None = None) -> AbstractAsyncContextManager[None]:
        """Every write goes inside this, with the session of its transaction if it is in one."""
        return self._writing if session is None else nullcontext()

    async def find_one(self, name: str, query: Document) -> Document | None:
        async with self._reading:
            return await self[name].find_one(query)

    async def find(self, name: str, query: Document, **options: Any) -> list[Document]:
        """All that a query finds, in one step: Motor's own cursor spends a fifth more on going to and fro."""
        collection: Any = self[name]
        async with self._reading:
            if self.driver == "pymongo":
                found = await collection.find(query, **options).to_list()
            else:
                cursor = collection.delegate.find(query, **options)
                loop = asyncio.get_running_loop()
                found = await run_on_executor(loop, cursor.to_list)  # type: ignore[no-untyped-call]
        return cast("list[Document]", found)

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` so that all of it stands or none, again when another write came between.

        Motor's own helper takes no deadline: one server stall had it try thousands of times.
        """
        end = time.monotonic() + self.settings.request_deadline
        session = await self._session()
        attempt = 0
        try:
            while True:
                try:
                    return await self._attempt(session, work, end)
                except PyMongoError as error:
                    if not _worth_another(error, "TransientTransactionError", end):
                        raise
                if session.in_transaction:
                    await session.abort_transaction()
                await pause(attempt)
                attempt += 1
        finally:
            # Apart from the request, whose time may be up: what is not aborted stays locked for a minute.
            ending = asyncio.create_task(_end(session), context=Context())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def _attempt(self, session: Session, work: Callable[[Session], Awaitable[T]], end: float) -> T:
        starting = session.start_transaction()
        if self.driver == "pymongo":
            await starting
        result = await work(session)
        while True:
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                if not _worth_another(error, "UnknownTransactionCommitResult", end):
                    raise
            else:
                return result

    async def _session(self) -> Session:
        starting: Any = self.client.start_session()
        return cast("Session", await starting if self.driver == "motor" else starting)


async def pause(attempt: int) -> None:
    """Before another attempt at what somebody else came first to: longer each time, and never the same."""
    await asyncio.sleep(min(0.002 * 1.5 ** min(attempt, 20), 0.1) * random.random())


async def _end(session: Session) -> None:
    """End a session, and with it the transaction that it may still be in."""
    with suppress(PyMongoError), deadline(SECONDS_TO_END):
        await session.end_session()


def _worth_another(error: PyMongoError, label: str, end: float) -> bool:
    return error.has_error_label(label) and not error.timeout and time.monotonic() < end


# No rights, a wrong password, no transactions because it is no replica set, no space left on its disk.
REFUSALS = (13, 18, 20, 14031)


class driver_errors:  # noqa: N801 - a context manager, used as a function
    """Turns what the driver raises when the database is away or late into what a client is told."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, PyMongoError):
            return
        if isinstance(error, ServerSelectionTimeoutError):
            raise Unavailable("The database cannot be reached") from error
        if error.timeout:
            raise Overdue from error
        if isinstance(error, ConnectionFailure) or error.has_error_label("TransientTransactionError"):
            raise Unavailable("The database is busy or changing hands") from error
        if isinstance(error, OperationFailure) and error.code in REFUSALS:
            raise Unavailable("The database refuses the service") from error


deadline = pymongo.timeout
"""Everything the database is asked for inside `with deadline(seconds)` ends within that time."""

_current: Mongo | None = None


async def connect(db_name: str | None = None) -> Mongo:
    """For scripts: open the connection that `ensure_indexes()` and `current()` use from here on.

    Without a name it is the test database: a script that lost its settings must not write to the other.
    """
    global _current
    await close()
    settings = Settings()
    _current = Mongo(settings, db_name or settings.test_db)
    await _current.ping()
    return _current


def current() -> Mongo:
    if _current is None:
        raise RuntimeError("Not connected: call `await mongo.connect(db_name)` first")
    return _current


async def close() -> None:
    """For scripts: close what `connect` opened."""
    global _current
    opened, _current = _current, None
    if opened is not None:
        await opened.close()
