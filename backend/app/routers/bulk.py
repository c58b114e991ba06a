from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from backend.app.bulk.ingestion import BulkQuery, ingested
from backend.app.db.bulk.crawls import Crawl
from backend.app.db.mongo import deadline
from backend.app.deps import InteractionsDep, JobsDep, MatchesDep, RunsDep
from backend.app.errors import answers
from backend.app.models.base import RunId
from backend.app.models.bulk import (
    IngestedInteractions,
    IngestedJobs,
    IngestedMatches,
    InteractionItem,
    MatchItem,
)
from backend.app.models.jobs import JobIn
from backend.app.routing import LongRoute

router = APIRouter(route_class=LongRoute)


class JobBulkQuery(BulkQuery):
    run_id: RunId | None = None
    """The ingest run that the postings were seen by; it has to be open."""


def rejected(model: type) -> dict[int | str, dict[str, object]]:
    return {207: {"model": model, "description": "Some items were rejected; the others stand"}}


@router.post(
    "/jobs/bulk",
    tags=["jobs"],
    response_model=IngestedJobs,
    responses={**rejected(IngestedJobs), **answers(404, 409)},
)
async def ingest_jobs(
    request: Request,
    _items: Annotated[list[JobIn], Body()],
    jobs: JobsDep,
    runs: RunsDep,
    query: Annotated[JobBulkQuery, Query()],
) -> Response:
    """Create or update many postings.

    Each is found by its `external_id`, and created, updated, left alone because nothing is new, or rejected;
    the answer says which, in the order of the items. One bad item does not stop the others. A key that comes
    twice is taken in order: the last wins.

    As a JSON array, of up to 10,000 items and 64 MiB; or as lines of JSON, one posting each of up to 1 MiB,
    as many as you like. Within an ingest run, an item without `source_platform` gets that of the run, and a
    posting that was closed comes back.
    """
    crawl = None
    if query.run_id is not None:
        with deadline(request.app.state.settings.request_deadline):
            crawl = Crawl(runs, await runs.get(query.run_id))
    return await ingested(request, jobs, query, crawl)


@router.post(
    "/job-matches/bulk",
    tags=["job-matches"],
    response_model=IngestedMatches,
    responses={**rejected(IngestedMatches), **answers(409)},
)
async def ingest_matches(
    request: Request,
    _items: Annotated[list[MatchItem], Body()],
    matches: MatchesDep,
    query: Annotated[BulkQuery, Query()],
) -> Response:
    """Create or update many matches.

    Each is found by its user and its posting. They can be named by `user_id` or `user_email`, and by `job_id`
    or `job_external_id`; an item whose user or posting is not there is rejected. Otherwise as for postings.
    When the answer comes, the stats of the users are up to date.
    """
    return await ingested(request, matches, query)


@router.post(
    "/interactions/bulk",
    tags=["interactions"],
    response_model=IngestedInteractions,
    responses={**rejected(IngestedInteractions), **answers(409)},
)
async def ingest_interactions(
    request: Request,
    _items: Annotated[list[InteractionItem], Body()],
    interactions: InteractionsDep,
    query: Annotated[BulkQuery, Query()],
) -> Response:
    """Create or update many interactions.

    Each is found by its user, its posting and its type. They can be named by `user_id` or `user_email`, and
    by `job_id` or `job_external_id`; an item whose user or posting is not there is rejected. Otherwise as for
    postings. When the answer comes, the stats of the users are up to date.
    """
    return await ingested(request, interactions, query)
