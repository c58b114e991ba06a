"""Job postings, ingested from outside."""

from typing import Annotated, Any, Self

from annotated_types import Len
from pydantic import ConfigDict, Field, FiniteFloat, StringConstraints, model_validator

from backend.app.models.base import (
    Amount,
    Body,
    Example,
    JobId,
    Share,
    Stored,
    Strings,
    Text,
    Utc,
    check_order,
    now,
)
from backend.app.models.partial import partial

# Spelt out: what \s stands for depends on who reads the pattern.
SPACE = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
WebAddress = Annotated[
    str, StringConstraints(pattern=rf"^https?://[^{SPACE}/?#][^{SPACE}]*$", max_length=2048)
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

POSTING: Example = {
    "external_id": "job-123",
    "title": "Research Scientist",
    "company": "OpenAI Labs",
    "description": "Work on cutting-edge research.",
    "location": "San Francisco",
    "remote_type": "hybrid",
    "skills_required": ["Statistics", "Python"],
    "source_url": "https://example.com/job/123",
    "source_platform": "LinkedIn",
    "salary_range": {"min": 140000, "max": 200000, "currency": "USD"},
    "ml_features": {
        "processed_text": "research scientist statistics python",
        "keyword_vector": [0.1, 0.5, 0.9],
    },
}


class SalaryRange(Body):
    """What a posting pays."""

    min: Amount | None = None
    max: Amount | None = None
    """At least `min`."""
    currency: Currency = "USD"
    """ISO 4217: three capitals."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        check_order(self.min, self.max, "min, max")
        return self


class MlFeatures(Body):
    """What matching made of a posting."""

    processed_text: str | None = None
    keyword_vector: Annotated[list[FiniteFloat], Len(0, 4096)] = []


class JobIn(Body):
    """A new posting."""

    model_config = ConfigDict(json_schema_extra={"examples": [POSTING]})

    external_id: Annotated[str, Len(1, 255)]
    """The posting's id where it comes from. Unique: it keeps one posting from being ingested twice."""
    title: Text
    company: Text
    description: str
    location: str
    remote_type: str | None = None
    skills_required: Strings = []
    posted_date: Utc = Field(default_factory=now)
    """Now, unless sent."""
    source_url: WebAddress | None = None
    source_platform: str | None = None
    salary_range: SalaryRange | None = None
    ml_features: MlFeatures | None = None
    is_active: bool = True
    """False is the soft delete: the posting stays, and leaves the default list."""


class Job(JobIn, Stored):
    """A posting, as stored."""

    id: JobId
    created_at: Utc
    updated_at: Utc | None = None
    """Null until the first change."""


def _only_required_is_the_id(schema: dict[str, Any]) -> None:
    schema["required"] = ["id"]
    schema["examples"] = [{**POSTING, "score": 0.6667}]


class FoundJob(Job):
    """A posting on a list: all of it, or the fields that `fields` asks for."""

    model_config = ConfigDict(json_schema_extra=_only_required_is_the_id)

    score: Share | None = None
    """If the list is sorted by it: how well the posting answers `q`."""


@partial(nested=True)
class JobPatch(JobIn):
    """A merge patch of a posting: embedded objects merge, null takes an optional field away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"salary_range": {"min": 90000, "max": 130000}}]}
    )


@partial(nested=False)
class JobPut(JobIn):
    """The fields of a posting to replace."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Staff Scientist", "salary_range": {"min": 90000}}]}
    )
