"""How much a user has done: one document a user, made with the user and gone with it."""

from pydantic import ConfigDict

from backend.app.models.base import Body, Count, StatsId, Stored, UserId, Utc
from backend.app.models.partial import partial


class StatsFields(Body):
    jobs_viewed: Count = 0
    jobs_saved: Count = 0
    top_missing_skill: str | None = None


class UserStats(StatsFields, Stored):
    """A user's stats, as stored."""

    id: StatsId
    user_id: UserId
    created_at: Utc
    last_calculated: Utc | None = None
    """Null until the first change."""


@partial(nested=True)
class StatsPatch(StatsFields):
    """A merge patch of a user's stats."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"jobs_viewed": 5, "jobs_saved": 2, "top_missing_skill": "Docker"}]}
    )
