"""The connection: which driver, and on which threads it works. What differs between the drivers is here."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from types import TracebackType
from typing import Any, Self, cast

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from backend.app.config import Settings
from backend.app.db.ambient import joined
from backend.app.db.failures import driver_errors
from backend.app.models.base import Document

Session = AsyncClientSession

# How long to look for a server before a request is told that there is none: well inside any deadline.
SELECTION_SECONDS = 2.0
# How long a transaction that is given up may take to let go of what it has locked.
SECONDS_TO_END = 2.0
WRITE_THREADS = 16
SCAN_THREADS = 2
COUNT_THREADS = 2
CONNECTIONS_FOR_TRANSACTIONS = 2


class Mongo:
    """A connection to one database. Opening it makes no I/O: the app starts with the database down.

    A write of what a transaction has touched waits inside MongoDB, and keeps a thread (Motor) or a connection
    (PyMongo) meanwhile. So writes have threads of their own, or leave some connections: else all there are
    would wait for a transaction that waits for one of them.
    """

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
        self._hasty: dict[str, AsyncCollection[Document]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._writers = ThreadPoolExecutor(WRITE_THREADS, "mongo-write")
        # Threads that read a page fight the event loop for the interpreter: with as many as Motor has, each
        # page takes a fifth longer.
        self._readers = ThreadPoolExecutor((os.cpu_count() or 1) + 1, "mongo-read")
        self._scanners = ThreadPoolExecutor(SCAN_THREADS, "mongo-scan")
        self._counters = ThreadPoolExecutor(COUNT_THREADS, "mongo-count")
        self._connections = asyncio.Semaphore(max(1, settings.mongo_pool_size - CONNECTIONS_FOR_TRANSACTIONS))

    def __getitem__(self, name: str) -> AsyncCollection[Document]:
        # Motor takes as long to make a collection as to send a command on one.
        if name not in self._collections:
            self._collections[name] = self.db[name]
        return self._collections[name]

    def hasty(self, name: str) -> AsyncCollection[Document]:
        """A collection whose writes are answered before they would outlive a crash of MongoDB.

        They do outlive it if a later write does.
        """
        if name not in self._hasty:
            self._hasty[name] = self.db.get_collection(name, write_concern=WriteConcern(1))
        return self._hasty[name]

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
        for threads in (self._writers, self._readers, self._scanners, self._counters):
            threads.shutdown(wait=False)
        closing = self.client.close()
        if closing is not None:
            await closing

    async def ping(self) -> None:
        # In less than a request may take: who asks whether all is well does not wait long for the answer.
        with driver_errors(), deadline(SELECTION_SECONDS):
            await self.db.command("ping")

    async def find(self, name: str, query: Document, **options: Any) -> list[Document]:
        """All that a query finds, in one step: Motor's own cursor spends a fifth more on going to and fro.

        It sees what the transaction around it has written, if there is one.
        """
        collection: Any = self[name]
        session: Any = joined()
        if self.driver == "motor":
            options["session"] = session and session.delegate
            cursor = collection.delegate.find(query, **options)
            found = await in_thread(self._readers, cursor.to_list)
        else:
            found = await collection.find(query, session=session, **options).to_list()
        return cast("list[Document]", found)

    async def aggregate(
        self,
        name: str,
        pipeline: list[Document],
        *,
        slow: bool = False,
        long: bool = False,
        **options: Any,
    ) -> list[Document]:
        """All that a pipeline comes to, past any transaction.

        A slow one, over a whole collection, keeps no thread from those that read a page; nor does a long
        one, over thousands of documents, which is not kept waiting by the slow ones either.
        """
        collection: Any = self[name]
        if self.driver == "motor":
            threads = self._scanners if slow else self._counters if long else self._readers
            found = await in_thread(
                threads, lambda: collection.delegate.aggregate(pipeline, **options).to_list()
            )
        else:
            found = await (await collection.aggregate(pipeline, **options)).to_list()
        return cast("list[Document]", found)

    async def write(
        self,
        name: str,
        command: str,
        *arguments: Any,
        session: Session | None = None,
        hasty: bool = False,
        **options: Any,
    ) -> Any:
        """A write, by the name of the driver's method. Every write goes through here.

        It is part of the transaction around it, if there is one.
        """
        collection: Any = self.hasty(name) if hasty else self[name]
        if session is None:
            session = joined()
        if session is not None:
            return await getattr(collection, command)(*arguments, session=session, **options)
        if self.driver == "motor":
            method = getattr(collection.delegate, command)
            return await in_thread(self._writers, method, *arguments, **options)
        async with self._connections:
            return await getattr(collection, command)(*arguments, **options)

    async def start_session(self) -> Session:
        starting: Any = self.client.start_session()
        return cast("Session", await starting if self.driver == "motor" else starting)

    async def start_transaction(self, session: Session) -> None:
        starting = session.start_transaction()
        if self.driver == "pymongo":
            await starting

    def end_apart(self, session: Session) -> None:
        """End a session, and the transaction it may still be in, apart from the request.

        That one's time may be up, and what is not aborted stays locked for a minute.
        """
        ending = asyncio.create_task(_end(session), context=Context())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


async def _end(session: Session) -> None:
    with suppress(PyMongoError), deadline(SECONDS_TO_END):
        await session.end_session()


async def in_thread(
    threads: ThreadPoolExecutor, function: Callable[..., Any], *arguments: Any, **options: Any
) -> Any:
    """Call a function in one of the threads, under the deadline of the request."""
    call = partial(copy_context().run, function, *arguments, **options)
    return await asyncio.get_running_loop().run_in_executor(threads, call)


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
