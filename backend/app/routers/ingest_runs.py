from typing import Annotated

from bson import ObjectId
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backend.app.deps import IfNoneMatch, Listed, RunsDep
from backend.app.errors import answers
from backend.app.idempotency import answered_alike
from backend.app.models.base import IdOf, RunId, Share
from backend.app.models.ingest_runs import IngestRun, RunIn
from backend.app.replies import created, listed, one
from backend.app.routing import LongRoute, Route

router = APIRouter(prefix="/ingest-runs", tags=["ingest-runs"], route_class=Route)
endings = APIRouter(prefix="/ingest-runs", tags=["ingest-runs"], route_class=LongRoute)

MaxCloseRatio = Annotated[
    Share, Query(description="Refuse to close more than this share of the source's active postings.")
]
# One that is completed cannot be aborted as well: the next of the demo.
AbortedId = Annotated[ObjectId, IdOf("run", example="665f60000000000000000002")]


@router.post("/", status_code=201, response_model=IngestRun)
async def create_ingest_run(body: RunIn, runs: RunsDep) -> Response:
    """Open an ingest run.

    It says which postings of a source a crawl has seen: send them to `POST /jobs/bulk?run_id=`, in as many
    calls as you like. Then complete the run, and the others are closed. One that is never completed closes
    nothing. It can be completed for seven days.
    """
    return created(runs, await runs.add(body), "/ingest-runs/")


@router.get("/", response_model=list[IngestRun])
async def list_ingest_runs(request: Request, runs: RunsDep, query: Listed) -> Response:
    """List ingest runs, newest first."""
    return await listed(request, runs, query, {})


@router.get("/{run_id}", response_model=IngestRun, responses=answers(304, 404))
async def get_ingest_run(run_id: RunId, runs: RunsDep, if_none_match: IfNoneMatch = None) -> Response:
    """Get one ingest run.

    Who opened it and when, what its items came to, the first that were rejected and why, and how many
    postings it closed.
    """
    return one(runs, await runs.get(run_id), if_none_match=if_none_match)


@endings.post("/{run_id}/complete", response_model=IngestRun, responses=answers(404, 409))
async def complete_ingest_run(
    request: Request, run_id: RunId, runs: RunsDep, max_close_ratio: MaxCloseRatio = 0.5
) -> Response:
    """Complete an ingest run.

    Closes the active postings of its source that it did not see: `is_active` becomes false. If that would be
    more than `max_close_ratio` of them, the crawl is taken for a bad one: 409 `too_many_to_close` with the
    counts `active` and `would_close`, and nothing is changed. If it broke off, ask again: it is taken up.
    A run that is completed already is answered as it is.
    """

    async def completed() -> Response:
        return one(runs, await runs.complete(run_id, max_close_ratio))

    return await answered_alike(request, completed)


@endings.post("/{run_id}/abort", response_model=IngestRun, responses=answers(404, 409))
async def abort_ingest_run(request: Request, run_id: AbortedId, runs: RunsDep) -> Response:
    """Abort an ingest run.

    It closes nothing, and takes no more postings; those that it brought stay. 409 if it is completed, or is
    closing postings already.
    """

    async def aborted() -> Response:
        return one(runs, await runs.abort(run_id))

    return await answered_alike(request, aborted)
