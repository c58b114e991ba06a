"""Bulk calls: what an item may look like, and what is told of each."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Len
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from backend.app.models.base import EXAMPLE_IDS, Body, Document, Example, JobId, UserId
from backend.app.models.faults import Fault
from backend.app.models.interactions import InteractionFields, InteractionType
from backend.app.models.job_matches import MATCH, MatchFields
from backend.app.models.jobs import POSTING

Mode = Literal["replace", "merge"]
Report = Literal["all", "rejected", "none"]
Status = Literal["created", "updated", "unchanged", "rejected"]
STATUSES: tuple[Status, ...] = ("created", "updated", "unchanged", "rejected")

MOST_ITEMS = 10_000
"""In a JSON array, and in a dry run."""
MOST_ATOMIC = 1_000
MOST_LISTED = 1_000
"""In the answer to a stream, which may be of any length."""
MOST_FAULTS_OF_ONE = 5


class ParentsByName(Body):
    """An item that names its parents by id, or by what people and crawlers know them by."""

    user_id: UserId | None = None
    user_email: Annotated[str, Len(1, 254)] | None = None
    """In place of `user_id`."""
    job_id: JobId | None = None
    job_external_id: Annotated[str, Len(1, 255)] | None = None
    """In place of `job_id`."""

    @model_validator(mode="after")
    def _each_named_once(self) -> Self:
        for one, other in PARENT_NAMES.items():
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise PydanticCustomError(
                    "parent_name", "Either {one} or {other} is needed", {"one": one, "other": other}
                )
        return self

    def stored(self) -> Document:
        return self.model_dump(exclude_none=True, exclude=set(ParentsByName.model_fields))


PARENT_NAMES = {"user_id": "user_email", "job_id": "job_external_id"}


class MatchItem(MatchFields, ParentsByName):
    """A match in a bulk call."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_email": "ada.okafor@example.com",
                    "job_external_id": "demo-0001",
                    **{name: value for name, value in MATCH.items() if name not in PARENT_NAMES},
                }
            ]
        }
    )


class InteractionItem(InteractionFields, ParentsByName):
    """An interaction in a bulk call."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_email": "ada.okafor@example.com",
                    "job_external_id": "demo-0001",
                    "interaction_type": "viewed",
                }
            ]
        }
    )


class Summary(BaseModel):
    """How many items came to what."""

    created: Annotated[int, Ge(0)] = 0
    updated: Annotated[int, Ge(0)] = 0
    unchanged: Annotated[int, Ge(0)] = 0
    rejected: Annotated[int, Ge(0)] = 0


class Outcome(BaseModel):
    """What became of one item."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    index: Annotated[int, Ge(0)]
    """Which item: the first is 0."""
    status: Status
    id: str | None
    """Of the document; null where there is none, and for what a dry run would create."""
    errors: list[Fault] = Field(max_length=MOST_FAULTS_OF_ONE)
    """Why it was rejected, each with a JSON Pointer into the item."""


class JobOutcome(Outcome):
    external_id: str | None
    """As sent; null where it is not one."""


class MatchOutcome(Outcome):
    user_id: str | None
    """Null where the user is not there; so for the posting."""
    job_id: str | None


class InteractionOutcome(MatchOutcome):
    interaction_type: InteractionType | None


class Ingested(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    summary: Summary
    truncated: bool
    """Whether there were more items to list than are listed."""


def example(noun: str, pointer: str, **key: str) -> ConfigDict:
    """One item that was stored, and one that was not."""
    fault = {"pointer": pointer, "detail": "This field is required", "code": "missing"}
    items: list[Example] = [
        {"index": 0, "status": "created", "id": EXAMPLE_IDS[noun], **key, "errors": []},
        {"index": 1, "status": "rejected", "id": None, **dict.fromkeys(key), "errors": [fault]},
    ]
    summary = {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}
    answer: Example = {"summary": summary, "items": items, "truncated": False}
    return ConfigDict(json_schema_extra={"examples": [answer]})


PAIR = {"user_id": EXAMPLE_IDS["user"], "job_id": EXAMPLE_IDS["job"]}


class IngestedJobs(Ingested):
    """What became of the postings."""

    model_config = example("job", "/external_id", external_id=str(POSTING["external_id"]))

    items: list[JobOutcome]


class IngestedMatches(Ingested):
    """What became of the matches."""

    model_config = example("match", "/relevancy_score", **PAIR)

    items: list[MatchOutcome]


class IngestedInteractions(Ingested):
    """What became of the interactions."""

    model_config = example("interaction", "/interaction_type", **PAIR, interaction_type="viewed")

    items: list[InteractionOutcome]
