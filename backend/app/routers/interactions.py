from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.app.deps import IfMatch, IfNoneMatch, InteractionsDep, InteractionsListed
from backend.app.errors import answers
from backend.app.models.base import InteractionId, JobId, UserId
from backend.app.models.interactions import Interaction, InteractionIn, InteractionPatch
from backend.app.replies import created, listed, one
from backend.app.routing import Route

router = APIRouter(prefix="/interactions", tags=["interactions"], route_class=Route)


@router.post("/", status_code=201, response_model=Interaction, responses=answers(404, 409))
async def create_interaction(body: InteractionIn, interactions: InteractionsDep) -> Response:
    """Record what a user did with a posting.

    Each type once for a user and a posting: the same again answers 409.
    """
    return created(interactions, await interactions.add(body), "/interactions/")


@router.get("/user/{user_id}", response_model=list[Interaction])
async def list_interactions_of_user(
    request: Request, user_id: UserId, interactions: InteractionsDep, query: InteractionsListed
) -> Response:
    """List what a user did, newest first."""
    where = {"user_id": user_id, "interaction_type": query.interaction_type}
    return await listed(request, interactions, query, where)


@router.get("/job/{job_id}", response_model=list[Interaction])
async def list_interactions_of_job(
    request: Request, job_id: JobId, interactions: InteractionsDep, query: InteractionsListed
) -> Response:
    """List what was done with a posting, newest first."""
    where = {"job_id": job_id, "interaction_type": query.interaction_type}
    return await listed(request, interactions, query, where)


@router.get("/{interaction_id}", response_model=Interaction, responses=answers(304, 404))
async def get_interaction(
    interaction_id: InteractionId, interactions: InteractionsDep, if_none_match: IfNoneMatch = None
) -> Response:
    """Get one interaction."""
    return one(interactions, await interactions.get(interaction_id), if_none_match=if_none_match)


@router.patch("/{interaction_id}", response_model=Interaction, responses=answers(404, 409, 412))
async def patch_interaction(
    interaction_id: InteractionId,
    body: InteractionPatch,
    interactions: InteractionsDep,
    if_match: IfMatch = None,
) -> Response:
    """Change an interaction by a merge patch.

    Its user and its posting are fixed. A type that the user has for the posting already answers 409.
    """
    return one(interactions, await interactions.change(interaction_id, body, if_match))


@router.delete("/{interaction_id}", status_code=204, responses=answers(404, 412))
async def delete_interaction(
    interaction_id: InteractionId, interactions: InteractionsDep, if_match: IfMatch = None
) -> Response:
    """Remove an interaction."""
    await interactions.remove(interaction_id, if_match)
    return Response(status_code=204)
