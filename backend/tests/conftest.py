"""A real MongoDB, the app on it, and a client: every test starts with an empty database."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from pymongo import MongoClient

from backend import mongod
from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.db.schema import LEDGERS, TABLE
from backend.app.main import create_app
from backend.tests.client import Client


@pytest.fixture(scope="session")
def mongodb_uri() -> Iterator[str]:
    given = Settings().mongodb_uri
    if given:
        yield given
    else:
        with mongod.temporary() as server:
            with MongoClient[dict[str, object]](server.uri) as client:
                # What an app that was killed has locked would keep its test waiting for ten.
                client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=2)
            yield server.uri


@pytest.fixture(scope="session")
def settings(mongodb_uri: str, worker_id: str) -> Settings:
    found = Settings()
    # One database for each process that tests: they may share a server.
    return found.model_copy(update={"mongodb_uri": mongodb_uri, "test_db": f"{found.test_db}_{worker_id}"})


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings, database=settings.test_db)
    async with LifespanManager(app):
        async with asyncio.timeout(30):
            await app.state.ready.wait()
        yield app


@pytest.fixture
async def mongo(app: FastAPI) -> Mongo:
    """The app's own connection, to a database that is empty but for its indexes."""
    connection: Mongo = app.state.mongo
    # Half of the tests store nothing, and to ask is one command.
    if (await connection.db.command("dbStats"))["objects"]:
        names = [collection.name for collection in (*TABLE, *LEDGERS)]
        await asyncio.gather(*(connection.db[name].delete_many({}) for name in names))
    return connection


@pytest.fixture
async def client(app: FastAPI, mongo: Mongo) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(app)
    async with Client(transport=transport, base_url="http://test", timeout=30) as client:
        yield client
