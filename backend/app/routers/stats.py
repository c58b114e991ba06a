from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backend.app.db.skills import skill_gap
from backend.app.deps import IfMatch, IfNoneMatch, StatsDep, UsersDep
from backend.app.errors import answers
from backend.app.models.base import UserId
from backend.app.models.skills import SkillGap
from backend.app.models.stats import StatsPatch, UserStats, VerifiedStats
from backend.app.replies import answer, one
from backend.app.routing import Route

router = APIRouter(prefix="/users", tags=["stats"], route_class=Route)

Verify = Annotated[bool, Query(description="Add `drift`: each field that is not what was counted.")]
MostSkills = Annotated[int, Query(ge=1, le=100, description="At most so many skills.")]


@router.get("/{user_id}/stats", response_model=VerifiedStats, responses=answers(304, 404))
async def get_user_stats(
    request: Request,
    user_id: UserId,
    stats: StatsDep,
    verify: Verify = False,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Get a user's stats.

    They are made with the user and go with the user. They follow the user's interactions and active matches:
    what was written by hand stands until one of those is created, changed or removed. With `verify=true`
    they are counted once more, and `drift` holds each field that differs, as stored and as counted; there is
    none but by hand.
    """
    if not verify:
        return one(stats, await stats.get(user_id), if_none_match=if_none_match)
    found, drift = await stats.verified(user_id)
    return answer(request, {**stats.spec.view(found), "drift": drift})


@router.patch("/{user_id}/stats", response_model=UserStats, responses=answers(404, 412))
async def patch_user_stats(
    user_id: UserId, body: StatsPatch, stats: StatsDep, if_match: IfMatch = None
) -> Response:
    """Change a user's stats by a merge patch.

    It stands until the user's interactions or matches change the next time, or the stats are recalculated.
    `null` takes a field back to what it was at birth.
    """
    return one(stats, await stats.change(user_id, body, if_match))


@router.post("/{user_id}/stats/recalculate", response_model=UserStats, responses=answers(404))
async def recalculate_user_stats(user_id: UserId, stats: StatsDep) -> Response:
    """Recalculate a user's stats.

    From their interactions and active matches, in place of whatever was written by hand.
    """
    return one(stats, await stats.recalculate(user_id))


@router.get("/{user_id}/skill-gap", response_model=SkillGap, responses=answers(404))
async def get_skill_gap(
    request: Request, user_id: UserId, users: UsersDep, limit: MostSkills = 20
) -> Response:
    """Get the skills that a user's active matches miss.

    Those that most of them miss come first; of equals, those of the higher mean score, then by name.
    `only_missing` says how many matches would miss nothing any more. A skill is told from others by its
    exact spelling, and counts once for a match, however often that names it.
    """
    await users.get(user_id)
    return answer(request, await skill_gap(users.mongo, user_id, limit))
