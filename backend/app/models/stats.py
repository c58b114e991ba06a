"""How much a user has done: one document a user, made with the user and gone with it."""

from typing import cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from backend.app.models.base import Body, Count, StatsId, Stored, UserId, Utc
from backend.app.models.partial import partial


class StatsFields(Body):
    jobs_viewed: Count = 0
    jobs_saved: Count = 0
    jobs_applied: Count = 0
    jobs_rejected: Count = 0
    jobs_withdrawn: Count = 0
    top_missing_skill: str | None = None
    """The skill that most of the active matches miss; of several, the first by name."""


class UserStats(StatsFields, Stored):
    """A user's stats, as stored."""

    id: StatsId
    user_id: UserId
    created_at: Utc
    last_calculated: Utc | None = None
    """When they were last worked out, or written by hand. Null until the first change."""


class Drift(BaseModel):
    """A field that is not what it would be if it were counted."""

    stored: int | str | None
    counted: int | str | None


def _may_lack_drift(schema: JsonDict) -> None:
    """Unlike what else has a default, it is left out of most answers."""
    cast("list[str]", schema["required"]).remove("drift")


class VerifiedStats(UserStats):
    """A user's stats; with `drift`, if that was asked for."""

    model_config = ConfigDict(json_schema_extra=_may_lack_drift)

    drift: dict[str, Drift] = Field(
        default_factory=dict, examples=[{"jobs_viewed": {"stored": 0, "counted": 3}}]
    )
    """Each field that is not what it would be if it were counted, with both."""


@partial(nested=True)
class StatsPatch(StatsFields):
    """A merge patch of a user's stats."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"jobs_viewed": 5, "jobs_saved": 2, "top_missing_skill": "Docker"}]}
    )
