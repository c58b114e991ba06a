from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.app.deps import IfMatch, IfNoneMatch, Listed, SearchesDep
from backend.app.errors import answers
from backend.app.models.base import SearchId, UserId
from backend.app.models.saved_searches import SavedSearch, SearchIn, SearchPatch, SearchPut
from backend.app.replies import created, listed, one
from backend.app.routing import Route

router = APIRouter(prefix="/saved-searches", tags=["saved-searches"], route_class=Route)


@router.post("/", status_code=201, response_model=SavedSearch, responses=answers(404))
async def create_saved_search(body: SearchIn, searches: SearchesDep) -> Response:
    """Save a search for a user."""
    return created(searches, await searches.add(body), "/saved-searches/")


@router.get("/user/{user_id}", response_model=list[SavedSearch])
async def list_saved_searches_of_user(
    request: Request, user_id: UserId, searches: SearchesDep, query: Listed
) -> Response:
    """List a user's saved searches, oldest first."""
    return await listed(request, searches, query, {"user_id": user_id})


@router.get("/{search_id}", response_model=SavedSearch, responses=answers(304, 404))
async def get_saved_search(
    search_id: SearchId, searches: SearchesDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Get one saved search."""
    return one(searches, await searches.get(search_id), if_none_match=if_none_match)


@router.patch("/{search_id}", response_model=SavedSearch, responses=answers(404, 412))
async def patch_saved_search(
    search_id: SearchId, body: SearchPatch, searches: SearchesDep, if_match: IfMatch = None
) -> Response:
    """Change a saved search by a merge patch.

    The keys of `search_query` merge, and `null` takes one away. Its user is fixed.
    """
    return one(searches, await searches.change(search_id, body, if_match))


@router.put("/{search_id}", response_model=SavedSearch, responses=answers(404, 412))
async def put_saved_search(
    search_id: SearchId, body: SearchPut, searches: SearchesDep, if_match: IfMatch = None
) -> Response:
    """Replace fields of a saved search.

    A `search_query` that is sent takes the place of the old one whole. What is not sent stays.
    """
    return one(searches, await searches.change(search_id, body, if_match))


@router.delete("/{search_id}", status_code=204, responses=answers(404, 412))
async def delete_saved_search(
    search_id: SearchId, searches: SearchesDep, if_match: IfMatch = None
) -> Response:
    """Remove a saved search."""
    await searches.remove(search_id, if_match)
    return Response(status_code=204)
