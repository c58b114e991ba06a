"""What a user did with a posting."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from backend.app.models.base import (
    EXAMPLE_IDS,
    Body,
    InteractionId,
    JobId,
    Stored,
    UserId,
    Utc,
    now,
)
from backend.app.models.partial import partial

InteractionType = Literal["viewed", "saved", "applied", "rejected", "withdrawn"]

# Two clocks never agree: a browser that is a little ahead still means "now".
CLOCK_SKEW = timedelta(minutes=1)


def _not_ahead(moment: datetime) -> datetime:
    if moment > now() + CLOCK_SKEW:
        raise PydanticCustomError("in_the_future", "Input should not be in the future")
    return moment


class InteractionFields(Body):
    interaction_type: InteractionType
    timestamp: Annotated[Utc, AfterValidator(_not_ahead)] = Field(default_factory=now)
    """Now, unless sent. Not in the future."""


class InteractionIn(InteractionFields):
    """Something a user did with a posting, once per type."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": EXAMPLE_IDS["user"],
                    "job_id": EXAMPLE_IDS["job"],
                    "interaction_type": "viewed",
                }
            ]
        }
    )

    user_id: UserId
    job_id: JobId


class Interaction(InteractionIn, Stored):
    """An interaction, as stored."""

    id: InteractionId


@partial(nested=True)
class InteractionPatch(InteractionFields):
    """A merge patch of an interaction. Its user and its posting are fixed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"interaction_type": "saved"}]})
