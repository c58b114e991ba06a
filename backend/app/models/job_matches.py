"""How well a posting suits a user, as scored by matching."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from backend.app.models.base import (
    EXAMPLE_IDS,
    Body,
    Document,
    Example,
    JobId,
    JsonObject,
    MatchId,
    Share,
    Stored,
    Strings,
    UserId,
    Utc,
    now,
)
from backend.app.models.jobs import POSTING, Job
from backend.app.models.partial import partial

MATCH: Example = {
    "user_id": EXAMPLE_IDS["user"],
    "job_id": EXAMPLE_IDS["job"],
    "relevancy_score": 0.87,
    "match_reason": "Strong ML alignment",
    "match_details": {
        "skills_matched": ["Python", "ML"],
        "skills_missing": ["Docker"],
        "overall_compatibility": 0.9,
    },
    "user_snapshot": {
        "preferences_at_match": {"location": "Remote"},
        "credentials_at_match": {"years_experience": 3},
    },
}


class MatchDetails(Body):
    """Why the score is what it is."""

    skills_matched: Strings = []
    skills_missing: Strings = []
    overall_compatibility: Share | None = None


class UserSnapshot(Body):
    """The user as matching saw them."""

    preferences_at_match: JsonObject = {}
    credentials_at_match: JsonObject = {}


def snapshot(user: Document) -> Document:
    """Of a user as they stand, for a match that comes without one."""
    return {
        "preferences_at_match": user.get("preferences", {}),
        "credentials_at_match": user.get("credentials", {}),
    }


class MatchFields(Body):
    relevancy_score: Share
    matched_at: Utc = Field(default_factory=now)
    """Now, unless sent."""
    match_reason: str | None = None
    is_active: bool = True
    match_details: MatchDetails | None = None
    user_snapshot: UserSnapshot | None = None
    """Filled from the user as it stands, when a match is posted without it."""


class MatchIn(MatchFields):
    """A match, new or to take the place of the one that stands for the same user and posting."""

    model_config = ConfigDict(json_schema_extra={"examples": [MATCH]})

    user_id: UserId
    job_id: JobId


class JobMatch(MatchIn, Stored):
    """A match, as stored."""

    id: MatchId


FeedOrder = Literal["-relevancy_score", "-matched_at"]
POSTED: Example = {
    "id": EXAMPLE_IDS["job"],
    **POSTING,
    "posted_date": "2026-01-05T09:00:00Z",
    "is_active": True,
    "created_at": "2026-01-05T09:30:00Z",
    "updated_at": "2026-01-07T12:00:00Z",
}


def _shows_its_job_if_asked(schema: dict[str, Any]) -> None:
    schema["required"].remove("job")
    schema["examples"] = [{**MATCH, "job": POSTED}]


class FeedMatch(JobMatch):
    """A match on a user's feed."""

    model_config = ConfigDict(json_schema_extra=_shows_its_job_if_asked)

    job: Job | None = None
    """Only with `expand=job`: the posting; null if it went while this was read."""


@partial(nested=True)
class MatchPatch(MatchFields):
    """A merge patch of a match. Its user and its posting are fixed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"relevancy_score": 0.95}]})
