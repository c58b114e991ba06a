from fastapi import APIRouter
from starlette.responses import Response

from backend.app.deps import IfMatch, IfNoneMatch, StatsDep
from backend.app.errors import answers
from backend.app.models.base import UserId
from backend.app.models.stats import StatsPatch, UserStats
from backend.app.replies import one
from backend.app.routing import Route

router = APIRouter(prefix="/users", tags=["stats"], route_class=Route)


@router.get("/{user_id}/stats", response_model=UserStats, responses=answers(304, 404))
async def get_user_stats(user_id: UserId, stats: StatsDep, if_none_match: IfNoneMatch = None) -> Response:
    """Get a user's stats.

    They are made with the user and go with the user.
    """
    return one(stats, await stats.get(user_id), if_none_match=if_none_match)


@router.patch("/{user_id}/stats", response_model=UserStats, responses=answers(404, 412))
async def patch_user_stats(
    user_id: UserId, body: StatsPatch, stats: StatsDep, if_match: IfMatch = None
) -> Response:
    """Change a user's stats by a merge patch.

    `null` takes a field back to what it was at birth.
    """
    return one(stats, await stats.change(user_id, body, if_match))
