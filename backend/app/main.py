"""The app: its settings, its connection, its routes."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI

from backend.app import openapi
from backend.app.bulk.ingestion import Room
from backend.app.compression import Compression
from backend.app.config import Settings
from backend.app.cors import Cors
from backend.app.db.failures import driver_errors
from backend.app.db.indexes import IndexConflict, ensure_indexes
from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.removals import sweep
from backend.app.db.schema import JOBS, SEARCHES
from backend.app.db.standing import Standing
from backend.app.deps import collections
from backend.app.envelope import Envelope
from backend.app.errors import Failure, add_handlers
from backend.app.routers import ROUTERS
from backend.app.routers.docs import add_docs
from backend.app.routers.home import add_home

log = logging.getLogger(__name__)

# The database may be down when the app starts: how long to wait between looks.
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_SWEEPS = 15.0
# A large collection takes its time; the app serves meanwhile, and is not ready.
SECONDS_FOR_INDEXES = 3600.0
OBJECTS_TO_A_LOOK = 20_000


def create_app(settings: Settings | None = None, database: str | None = None) -> FastAPI:
    """Make the app. Nothing is read or opened until it starts, but its settings."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Mongo(settings, database or settings.prod_db) as mongo:
            app.state.mongo = mongo
            app.state.collections = collections(mongo)
            app.state.standing = Standing(mongo)
            stopping = asyncio.Event()
            tending = asyncio.create_task(tend(app, mongo, stopping))
            spare_the_collector()
            yield
            # Said twice, since a driver that is about to connect may not pass the cancellation on.
            stopping.set()
            tending.cancel()
            with suppress(asyncio.CancelledError):
                await tending
            await app.state.standing.close()
            await app.state.collections[SEARCHES].counts.findings.close()

    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Would look into the environment on every request, for exporters that are not there.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        **openapi.ABOUT,
    )
    app.state.settings = settings
    app.state.ready = asyncio.Event()
    app.state.room = Room()
    app.add_middleware(Compression)
    origins = settings.cors_origins
    app.add_middleware(Envelope, around=partial(Cors, origins=origins) if origins else None)
    add_handlers(app)
    # Flat, and not by include_router, which matches each request against two layers of routes.
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    add_docs(app)
    add_home(app)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    return app


def spare_the_collector() -> None:
    """Python's garbage collector need not look at what is here to stay, nor after each thousand new objects.

    Else it walks everything there is for every few thousand postings that come in, in which time nobody is
    answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_TO_A_LOOK, 10, 10)


async def tend(app: FastAPI, mongo: Mongo, stopping: asyncio.Event) -> None:
    """Make the indexes as soon as there is a database, which makes the app ready; then sweep for good."""
    jobs: Jobs = app.state.collections[JOBS]
    while not stopping.is_set():
        wait = SECONDS_BETWEEN_SWEEPS
        try:
            await mongo.ping()
            with deadline(SECONDS_FOR_INDEXES), driver_errors():
                starting = not app.state.ready.is_set()
                if starting:
                    await ensure_indexes(mongo)
                    await jobs.catch_up()
                    app.state.ready.set()
                await sweep(mongo, recent=starting)
                await jobs.frequencies.keep_up(mongo)
        except IndexConflict as conflict:
            log.error("Not ready, indexes are in the way:\n%s", conflict)
        except Failure as failure:
            log.warning("The database cannot be tended: %s: %s", failure.detail, failure.reason)
            wait = SECONDS_BETWEEN_LOOKS
        except Exception:
            # Whatever it is, the app would never be ready, and nobody would know why.
            log.exception("The database cannot be tended")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), wait)


def __getattr__(name: str) -> Any:
    """`backend.app.main:app`, made when it is first asked for and not when the module is imported."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = create_app()
    return globals()["app"]
