from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.app.db.saved_searches import new_since, wanted_by
from backend.app.deps import (
    IfMatch,
    IfNoneMatch,
    JobsDep,
    Listed,
    SearchesDep,
    SearchJobsListed,
)
from backend.app.errors import answers
from backend.app.models.base import SearchId, UserId
from backend.app.models.jobs import FoundJob
from backend.app.models.saved_searches import SavedSearch, SearchIn, SearchPatch, SearchPut
from backend.app.replies import created, one, paged, postings
from backend.app.routing import Route

router = APIRouter(prefix="/saved-searches", tags=["saved-searches"], route_class=Route)


@router.post("/", status_code=201, response_model=SavedSearch, responses=answers(404))
async def create_saved_search(body: SearchIn, searches: SearchesDep) -> Response:
    """Save a search for a user.

    `search_query` has the names of the parameters of `GET /jobs/`, each with one value, or a list where it
    may be repeated there; `role` stands for `title`, and `skills` for `skill`. What cannot be understood is
    kept, and listed in `ignored_keys`.
    """
    search = await searches.written(await searches.add(body))
    return created(searches, search, "/saved-searches/")


@router.get("/user/{user_id}", response_model=list[SavedSearch])
async def list_saved_searches_of_user(
    request: Request, user_id: UserId, searches: SearchesDep, query: Listed
) -> Response:
    """List a user's saved searches, oldest first.

    Each with what it finds at this moment.
    """
    mine = {"user_id": user_id}
    page = await searches.page(mine, query.limit, query.cursor)
    total = await searches.count(mine) if query.count else None
    shown = map(searches.spec.view, await searches.counted(page.documents))
    return paged(request, page, shown, total)


@router.get("/{search_id}", response_model=SavedSearch, responses=answers(304, 404))
async def get_saved_search(
    search_id: SearchId, searches: SearchesDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Get one saved search.

    With what it finds at this moment, so its entity tag changes with that too. To `If-Match`, which is about
    the search itself, that makes no difference.
    """
    (search,) = await searches.counted([await searches.get(search_id)])
    return one(searches, search, if_none_match=if_none_match)


@router.get("/{search_id}/jobs", response_model=list[FoundJob], responses=answers(404))
async def list_jobs_of_saved_search(
    request: Request, search_id: SearchId, searches: SearchesDep, jobs: JobsDep, query: SearchJobsListed
) -> Response:
    """List the postings that a saved search finds.

    As `GET /jobs/` lists them for the same query: newest first, or best first if there is a `q`. With
    `new=true` only those that have come in since it was last viewed.
    """
    search = await searches.get(search_id)
    asked = wanted_by(search).query
    if query.new:
        asked = asked.came_after(new_since(search))
    return await postings(request, jobs, query, asked)


@router.post("/{search_id}/viewed", response_model=SavedSearch, responses=answers(404))
async def mark_saved_search_viewed(search_id: SearchId, searches: SearchesDep) -> Response:
    """Note that what a saved search finds has been seen.

    `last_viewed` is now, and nothing is new until more postings come in. A list with `new=true` that was
    begun before ends: its cursor answers 400.
    """
    search = await searches.written(await searches.viewed(search_id))
    return one(searches, search)


@router.patch("/{search_id}", response_model=SavedSearch, responses=answers(404, 412))
async def patch_saved_search(
    search_id: SearchId, body: SearchPatch, searches: SearchesDep, if_match: IfMatch = None
) -> Response:
    """Change a saved search by a merge patch.

    The keys of `search_query` merge, and `null` takes one away. Its user is fixed.
    """
    search = await searches.written(await searches.change(search_id, body, if_match))
    return one(searches, search)


@router.put("/{search_id}", response_model=SavedSearch, responses=answers(404, 412))
async def put_saved_search(
    search_id: SearchId, body: SearchPut, searches: SearchesDep, if_match: IfMatch = None
) -> Response:
    """Replace fields of a saved search.

    A `search_query` that is sent takes the place of the old one whole. What is not sent stays.
    """
    search = await searches.written(await searches.change(search_id, body, if_match))
    return one(searches, search)


@router.delete("/{search_id}", status_code=204, responses=answers(404, 412))
async def delete_saved_search(
    search_id: SearchId, searches: SearchesDep, if_match: IfMatch = None
) -> Response:
    """Remove a saved search."""
    await searches.remove(search_id, if_match)
    return Response(status_code=204)
