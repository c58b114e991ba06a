from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from backend.app.db.exports import Export, JobExport
from backend.app.deps import ByActivity, InteractionsDep, JobsDep, MatchesDep, UsersDep
from backend.app.models.base import InteractionId, JobId, MatchId, UserId
from backend.app.models.interactions import Interaction, InteractionType
from backend.app.models.job_filters import Activity, JobFilters
from backend.app.models.job_matches import JobMatch
from backend.app.models.jobs import Job
from backend.app.models.users import User
from backend.app.replies import Lines, exported
from backend.app.routing import LongRoute

router = APIRouter(route_class=LongRoute, default_response_class=Lines)


class UserExportQuery(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    cursor: UserId | None = None
    """Go on after the line with this `id`."""


class JobExportQuery(JobFilters, ByActivity):
    cursor: JobId | None = None
    """Go on after the line with this `id`."""


class MatchExportQuery(ByActivity):
    user_id: UserId | None = None
    """Only those of this user."""
    job_id: JobId | None = None
    """Only those of this posting."""
    is_active: Activity = "any"
    """Active ones, inactive ones, or any."""
    cursor: MatchId | None = None
    """Go on after the line with this `id`."""


class InteractionExportQuery(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    user_id: UserId | None = None
    """Only those of this user."""
    job_id: JobId | None = None
    """Only those with this posting."""
    interaction_type: InteractionType | None = None
    """Only those of this type."""
    cursor: InteractionId | None = None
    """Go on after the line with this `id`."""


@router.get("/jobs/export", status_code=200, tags=["jobs"], response_model=Job)
async def export_jobs(jobs: JobsDep, query: Annotated[JobExportQuery, Query()]) -> Response:
    """Export postings, one on each line, in order of their ids.

    However many there are. If it breaks off, which shows in a body without its end, ask again with the `id`
    of the last whole line as `cursor`. All that is asked for has to hold, as in the list of postings. Only
    active ones, unless `is_active` asks for the others, or for any.
    """
    return await exported(JobExport(jobs, query.query(query.active)), query.cursor)


@router.get("/job-matches/export", status_code=200, tags=["job-matches"], response_model=JobMatch)
async def export_matches(matches: MatchesDep, query: Annotated[MatchExportQuery, Query()]) -> Response:
    """Export matches, one on each line, in order of their ids.

    However many there are. If it breaks off, which shows in a body without its end, ask again with the `id`
    of the last whole line as `cursor`.
    """
    where = {"user_id": query.user_id, "job_id": query.job_id, "is_active": query.active}
    return await exported(Export(matches, where), query.cursor)


@router.get("/users/export", status_code=200, tags=["users"], response_model=User)
async def export_users(users: UsersDep, query: Annotated[UserExportQuery, Query()]) -> Response:
    """Export users, one on each line, in order of their ids.

    However many there are. If it breaks off, which shows in a body without its end, ask again with the `id`
    of the last whole line as `cursor`.
    """
    return await exported(Export(users, {}), query.cursor)


@router.get("/interactions/export", status_code=200, tags=["interactions"], response_model=Interaction)
async def export_interactions(
    interactions: InteractionsDep, query: Annotated[InteractionExportQuery, Query()]
) -> Response:
    """Export interactions, one on each line, in order of their ids.

    However many there are. If it breaks off, which shows in a body without its end, ask again with the `id`
    of the last whole line as `cursor`.
    """
    where = {
        "user_id": query.user_id,
        "job_id": query.job_id,
        "interaction_type": query.interaction_type,
    }
    return await exported(Export(interactions, where), query.cursor)
