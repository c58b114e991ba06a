from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.app.db.facets import facets
from backend.app.deps import IfMatch, IfNoneMatch, JobsCounted, JobsDep, JobsListed, StandingDep
from backend.app.errors import answers
from backend.app.models.base import JobId
from backend.app.models.facets import JobFacets
from backend.app.models.jobs import FoundJob, Job, JobIn, JobPatch, JobPut
from backend.app.replies import answer, created, one, postings
from backend.app.routing import Route

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=Route)


@router.post("/", status_code=201, response_model=Job, responses=answers(409))
async def create_job(body: JobIn, jobs: JobsDep) -> Response:
    """Add a posting.

    Its `external_id` is unique: a posting that is there already answers 409.
    """
    return created(jobs, await jobs.add(body), "/jobs/")


@router.get("/", response_model=list[FoundJob])
async def list_jobs(request: Request, jobs: JobsDep, query: JobsListed) -> Response:
    """Search postings.

    All that is asked for has to hold. Without anything, it lists all of them, newest first. Only active ones,
    unless `is_active` asks for the others, or for any.
    """
    return await postings(request, jobs, query, query.asked)


@router.get("/facets", response_model=JobFacets)
async def get_job_facets(
    request: Request, jobs: JobsDep, standing: StandingDep, query: JobsCounted
) -> Response:
    """Count postings by each filter.

    What a search finds, by remote type, skill, company, location, source, currency, salary and week. Each
    facet leaves its own filter out, so it tells what another choice would find. With up to 5,000 postings to
    look through, all are counted; with more, the newest of them, and the total is told up to 10,000, or
    estimated. A search that finds nothing is told what it would find without each of its filters. Without any
    filter all postings are counted: where they are many, about once a minute, as `as_of` says.
    """
    found = await facets(jobs, standing, query.query(query.active), query.top)
    return answer(request, found)


@router.get("/{job_id}", response_model=Job, responses=answers(304, 404))
async def get_job(job_id: JobId, jobs: JobsDep, if_none_match: IfNoneMatch = None) -> Response:
    """Get one posting, active or not."""
    return one(jobs, await jobs.get(job_id), if_none_match=if_none_match)


@router.patch("/{job_id}", response_model=Job, responses=answers(404, 409, 412))
async def patch_job(job_id: JobId, body: JobPatch, jobs: JobsDep, if_match: IfMatch = None) -> Response:
    """Change a posting by a merge patch.

    Embedded objects merge, `null` takes an optional field away, lists are replaced. What results must be
    valid as a whole. `{"is_active": false}` is the soft delete.
    """
    return one(jobs, await jobs.change(job_id, body, if_match))


@router.put("/{job_id}", response_model=Job, responses=answers(404, 409, 412))
async def put_job(job_id: JobId, body: JobPut, jobs: JobsDep, if_match: IfMatch = None) -> Response:
    """Replace fields of a posting.

    A field that is sent takes the place of the old value, embedded objects whole. What is not sent stays.
    """
    return one(jobs, await jobs.change(job_id, body, if_match))


@router.delete("/{job_id}", status_code=204, responses=answers(404, 412))
async def delete_job(job_id: JobId, jobs: JobsDep, if_match: IfMatch = None) -> Response:
    """Remove a posting for good, with its matches and interactions.

    To take it off the default list only, patch `is_active` to false.
    """
    await jobs.remove(job_id, if_match)
    return Response(status_code=204)
