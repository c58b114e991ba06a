from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backend.app.db.feed import Feed
from backend.app.deps import FeedListed, IfMatch, IfNoneMatch, Listed, MatchesDep
from backend.app.errors import answers
from backend.app.models.base import JobId, MatchId, UserId
from backend.app.models.job_matches import FeedMatch, JobMatch, MatchIn, MatchPatch
from backend.app.replies import created, fed, listed, one
from backend.app.routing import Route

router = APIRouter(prefix="/job-matches", tags=["job-matches"], route_class=Route)

OnConflict = Annotated[
    Literal["replace", "error"],
    Query(description="What to do when there is a match for this user and posting already."),
]


@router.post(
    "/",
    status_code=201,
    response_model=JobMatch,
    responses={200: {"model": JobMatch, "description": "Replaced"}, **answers(404, 409)},
)
async def create_match(body: MatchIn, matches: MatchesDep, on_conflict: OnConflict = "replace") -> Response:
    """Add the match of a user and a posting, or replace the one there is.

    201 when it is new, 200 when it took the place of another, which keeps its id. With
    `on_conflict=error` a match that is there answers 409. A `user_snapshot` that is left out is filled
    from the user as they stand.
    """
    if on_conflict == "error":
        return created(matches, await matches.add(body), "/job-matches/")
    match, new = await matches.put(body)
    return created(matches, match, "/job-matches/") if new else one(matches, match)


@router.get("/", response_model=list[JobMatch])
async def list_matches(request: Request, matches: MatchesDep, query: Listed) -> Response:
    """List all matches, best score first."""
    return await listed(request, matches, query, {})


@router.get("/user/{user_id}", response_model=list[FeedMatch])
async def list_matches_of_user(
    request: Request, user_id: UserId, matches: MatchesDep, query: FeedListed
) -> Response:
    """List a user's matches, best score first.

    All that is asked for has to hold: of the match, and of its posting, as `GET /jobs/` asks it. Only active
    matches, unless `is_active` asks for the others, or for any; whether the posting is active makes no
    difference unless `job_is_active` asks. Empty for a user without matches, or one that is gone.
    """
    return await fed(request, Feed(matches, query.of(user_id)), query)


@router.get("/job/{job_id}", response_model=list[JobMatch])
async def list_matches_of_job(
    request: Request, job_id: JobId, matches: MatchesDep, query: Listed
) -> Response:
    """List a posting's matches, best score first.

    Empty for a posting without matches, or one that is gone.
    """
    return await listed(request, matches, query, {"job_id": job_id})


@router.get("/{match_id}", response_model=JobMatch, responses=answers(304, 404))
async def get_match(match_id: MatchId, matches: MatchesDep, if_none_match: IfNoneMatch = None) -> Response:
    """Get one match."""
    return one(matches, await matches.get(match_id), if_none_match=if_none_match)


@router.patch("/{match_id}", response_model=JobMatch, responses=answers(404, 412))
async def patch_match(
    match_id: MatchId, body: MatchPatch, matches: MatchesDep, if_match: IfMatch = None
) -> Response:
    """Change a match by a merge patch.

    Embedded objects merge, `null` takes an optional field away, lists are replaced. Its user and its posting
    are fixed.
    """
    return one(matches, await matches.change(match_id, body, if_match))


@router.delete("/{match_id}", status_code=204, responses=answers(404, 412))
async def delete_match(match_id: MatchId, matches: MatchesDep, if_match: IfMatch = None) -> Response:
    """Remove a match."""
    await matches.remove(match_id, if_match)
    return Response(status_code=204)
