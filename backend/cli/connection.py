"""Work on a database; what goes wrong there, in words that help."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pymongo.errors import PyMongoError

from backend.app.config import Settings
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo, deadline
from backend.app.errors import Overdue, Unavailable
from backend.cli.failure import CommandFailed
from backend.cli.server import address, served

T = TypeVar("T")


def on_database(settings: Settings, name: str, seconds: float, work: Callable[[Mongo], Awaitable[T]]) -> T:
    """Do the work on a database that answers, in so many seconds at most."""

    async def connected() -> T:
        async with Mongo(settings, name) as mongo:
            with deadline(settings.request_deadline):
                await mongo.ping()
            with deadline(seconds), driver_errors():
                return await work(mongo)

    with served(settings) as settings, explained(settings):
        return asyncio.run(connected())


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    where = address(settings.uri)
    try:
        yield
    except Unavailable as failure:
        raise CommandFailed(
            f"No MongoDB answers at {where}. Start it or correct MONGODB_URI, its replicaSet included; "
            "without MONGODB_URI an embedded one is used."
        ) from failure
    except Overdue as failure:
        raise CommandFailed(
            f"MongoDB at {where} answers too slowly. See how busy it is, and try again."
        ) from failure
    except PyMongoError as error:
        reason = str(error).partition(", full error:")[0].partition(" {")[0]
        raise CommandFailed(f"MongoDB at {where} refuses: {reason}") from error
