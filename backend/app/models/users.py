"""People who look for a job, and what they look for."""

from typing import Annotated, Self

from annotated_types import Len
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, ConfigDict, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from backend.app.models.base import (
    Amount,
    Body,
    Example,
    JsonObject,
    Stored,
    Strings,
    UserId,
    Utc,
    check_order,
    check_size,
)
from backend.app.models.partial import partial


def _email(value: str) -> str:
    try:
        # Whether mail arrives there is not ours to decide: hosts inside a company, and .test, are fine.
        found = validate_email(
            value, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError:
        raise PydanticCustomError("email", "Input should be an e-mail address") from None
    return found.normalized.lower()


Email = Annotated[
    str,
    # Before anything else is done with it: to normalize a megabyte of combining marks takes minutes.
    Len(1, 254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
Password = Annotated[str, Len(8, 128)]

PREFERENCES: Example = {
    "desired_locations": ["NYC", "SF"],
    "target_roles": ["ML Engineer"],
    "skills": ["Python", "FastAPI"],
    "experience_level": "mid",
    "salary_min": 90000,
    "salary_max": 130000,
}
CREDENTIALS: Example = {"years_experience": 3, "degrees": ["BSc Statistics"]}


class Preferences(Body):
    """What somebody would like to find."""

    desired_locations: Strings = []
    target_roles: Strings = []
    skills: Strings = []
    experience_level: str | None = None
    salary_min: Amount | None = None
    salary_max: Amount | None = None
    """At least `salary_min`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_order(self.salary_min, self.salary_max, "salary_min, salary_max")
        # A match keeps a copy of it as a free-form object, which is held to that.
        check_size(self.stored())
        return self


class UserFields(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Pref User",
                    "email": "pref@test.com",
                    "preferences": PREFERENCES,
                    "credentials": CREDENTIALS,
                }
            ]
        }
    )

    name: Annotated[str, Len(1, 100)]
    email: Email
    """Unique without regard to case; kept in lower case."""
    preferences: Preferences = Preferences()
    credentials: JsonObject | None = None
    """Whatever matching may use: years of experience, degrees, certificates."""


class UserIn(UserFields):
    """A new user."""

    password: Password | None = None
    """Kept as a hash, and never shown."""


class User(UserFields, Stored):
    """A user, as stored. The hash of their `password`, where they have one, is kept and never shown."""

    id: UserId
    created_at: Utc
    updated_at: Utc | None = None
    """Null until the first change."""


@partial(nested=True)
class UserPatch(UserIn):
    """A merge patch of a user: `preferences` merges, null takes an optional field away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"preferences": {"salary_min": 80000, "salary_max": 120000}}]}
    )


@partial(nested=False)
class UserPut(UserIn):
    """The fields of a user to replace."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "New Name"}]})
