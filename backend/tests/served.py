"""The app in a process of its own, with a database that is gone afterwards, for programs to talk to."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from backend import mongod
from backend.app.config import Settings
from backend.tests.processes import AppProcess, app_process


@dataclass(frozen=True)
class Served:
    app: AppProcess
    environment: dict[str, str]
    """What makes a program that reads the settings use the same database."""

    @property
    def url(self) -> str:
        return self.app.url


@contextmanager
def served(purpose: str) -> Iterator[Served]:
    """Serve until the block ends, on `MONGODB_URI` if that is set and else on a MongoDB of its own."""
    with ExitStack() as stack:
        uri = Settings().mongodb_uri or stack.enter_context(mongod.temporary()).uri
        database = f"aijobhunt_{purpose}"
        stack.enter_context(empty_database(uri, database))
        environment = {"MONGODB_URI": uri, "PROD_DB": database}
        app = stack.enter_context(app_process(environment))
        app.await_answer()
        yield Served(app, environment)


@contextmanager
def empty_database(uri: str, name: str) -> Iterator[None]:
    with MongoClient[dict[str, Any]](uri) as client:
        client.drop_database(name)
        yield
        client.drop_database(name)
