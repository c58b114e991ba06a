"""What every document is made of: ids, times, numbers, free-form objects, and the shapes of a body."""

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, Len
from bson import ObjectId
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema, to_json

Document = dict[str, Any]
"""A document as the database holds it."""
REVISION = "revision"
"""Grows with every write of a document: a change lands only on the revision it was made from."""
SEAL = "seal"
"""Tells what a bulk call sent for a document, while nothing else has changed it. See `db/bulk/seals.py`."""
Example = dict[str, Any]
"""A body that the docs pages are filled with."""

INT64 = 2**63 - 1
DEEPEST_OBJECT = 32
LARGEST_OBJECT = 64 * 1024
MOST_FIELDS = 100
# Above this a float no longer holds every whole number, so turning one into an int would invent digits.
WHOLE_FLOAT = 2**53


def now() -> datetime:
    """The present as MongoDB can hold it: UTC without a zone, whole milliseconds."""
    moment = datetime.now(UTC)
    return moment.replace(tzinfo=None, microsecond=moment.microsecond // 1000 * 1000)


def value_at(document: Document, path: str) -> Any:
    """What stands at a path of names with dots between them."""
    for name in path.split("."):
        document = document[name]
    return document


def whole_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Parsed(ABC):
    """A type that is one thing as JSON and another in the database."""

    @abstractmethod
    def validate(self, value: object) -> object:
        """Read either."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.validate)


HEX_ID = re.compile(r"[0-9a-fA-F]{24}")


@dataclass(frozen=True)
class IdOf(Parsed):
    """The id of one kind of document. A malformed one names the kind, and is a 400 wherever it stands."""

    noun: str
    example: str | None = None

    def validate(self, value: object) -> ObjectId:
        if isinstance(value, ObjectId):
            return value
        # Not left to the driver: older ones skip white space, and so make an id of fewer bytes.
        if isinstance(value, str) and HEX_ID.fullmatch(value):
            return ObjectId(value)
        raise PydanticCustomError("invalid_id", "Invalid {noun} ID", {"noun": self.noun})

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": "^[0-9a-fA-F]{24}$" if handler.mode == "validation" else "^[0-9a-f]{24}$",
            "description": f"{self.noun.capitalize()} ID.",
            "examples": [self.example or EXAMPLE_IDS[self.noun]],
        }


# The demo data starts with these, so what the docs pages are filled with exists there.
EXAMPLE_IDS = {
    "user": "665f00000000000000000001",
    "job": "665f10000000000000000001",
    "match": "665f20000000000000000001",
    "search": "665f30000000000000000001",
    "interaction": "665f40000000000000000001",
    "stats": "665f50000000000000000001",
    "run": "665f60000000000000000001",
}

UserId = Annotated[ObjectId, IdOf("user")]
JobId = Annotated[ObjectId, IdOf("job")]
MatchId = Annotated[ObjectId, IdOf("match")]
SearchId = Annotated[ObjectId, IdOf("search")]
InteractionId = Annotated[ObjectId, IdOf("interaction")]
StatsId = Annotated[ObjectId, IdOf("stats")]
RunId = Annotated[ObjectId, IdOf("run")]


RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)


class Moment(Parsed):
    """An instant: RFC 3339 on the wire, UTC without a zone and whole milliseconds in the database."""

    def validate(self, value: object) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else self._parsed(value)
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise PydanticCustomError("datetime_parsing", "No such date or time") from None
        return whole_milliseconds(moment) if moment.microsecond else moment

    def _parsed(self, value: object) -> datetime:
        if isinstance(value, str) and RFC3339.fullmatch(value):
            # Of most times the zone is known without asking.
            return datetime.fromisoformat(value[:-1] if value.endswith("Z") else value.upper())
        raise PydanticCustomError(
            "datetime_type", "Input should be an RFC 3339 date-time, as 2026-01-31T12:00:00Z"
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}


Utc = Annotated[datetime, Moment()]


def _whole_as_int(number: float) -> float | int:
    return int(number) if number.is_integer() and abs(number) <= WHOLE_FLOAT else number


Amount = Annotated[float, Ge(0), AfterValidator(_whole_as_int)]
"""A sum of money: 90000 comes back as 90000, 0.5 as 0.5."""


def check_order(low: float | None, high: float | None, names: str) -> None:
    """For a pair of amounts: the low one is at most the high one, where both are there."""
    if low is not None and high is not None and low > high:
        raise PydanticCustomError("range", "Should be in order: {names}", {"names": names})


Share = Annotated[float, Ge(0), Le(1)]
Count = Annotated[
    int,
    Ge(0),
    Le(WHOLE_FLOAT - 1),
    BeforeValidator(lambda value: _whole_as_int(value) if isinstance(value, float) else value),
]
"""As far as every reader of JSON can count. To JSON Schema 5.0 is an integer, as it is to JavaScript."""

Text = Annotated[str, Len(1)]
Strings = Annotated[list[Annotated[str, Len(0, 200)]], Len(0, 1000)]
"""Skills, places, roles. Bounded, so that a body of a million faults is told apart at the first thousand."""


def _check_object(value: dict[str, Any]) -> dict[str, Any]:
    """What MongoDB would take without complaint and could not give back, or could mistake for an operator."""
    # First, since it costs the least: what follows walks an object of any size otherwise.
    check_size(value)
    level: list[Any] = [value]
    for _ in range(DEEPEST_OBJECT):
        for node in level:
            if isinstance(node, dict):
                for key in node:
                    _check_key(key)
        inside = [item for node in level for item in (node.values() if isinstance(node, dict) else node)]
        level = [item for item in inside if isinstance(item, dict | list)]
        for item in inside:
            _check_scalar(item)
    if level:
        raise PydanticCustomError(
            "object_too_deep", "Object should be at most {limit} deep", {"limit": DEEPEST_OBJECT}
        )
    return value


def check_size(value: object) -> None:
    if len(to_json(value)) > LARGEST_OBJECT:
        raise PydanticCustomError(
            "object_too_large", "Object should be at most {limit} bytes", {"limit": LARGEST_OBJECT}
        )


def _check_key(key: str) -> None:
    if not key or key.startswith("$") or "." in key or "\0" in key:
        raise PydanticCustomError(
            "object_key", "A key should not be empty, start with '$', or hold a dot or a NUL"
        )


def _check_scalar(value: object) -> None:
    if isinstance(value, int) and not -INT64 - 1 <= value <= INT64:
        raise PydanticCustomError("object_integer", "An integer should fit in 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("finite_number", "A number should be finite")


JsonObject = Annotated[
    dict[str, Any],
    AfterValidator(_check_object),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": True,
            "description": "Any JSON object: at most 32 deep and 64 KiB; no key is empty, starts with `$`, "
            "or holds a dot or a NUL.",
            "propertyNames": {"pattern": "^[^$.\\u0000][^.\\u0000]*$"},
        }
    ),
]


class Stored(BaseModel):
    """What only the server writes. Readers should expect fields to be added to a document."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


class Body(BaseModel):
    """What a client may send: its fields, their exact types, and nothing else."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )

    whole: ClassVar[type["Body"]]
    """Of an update: the class that the document it results in must satisfy."""
    merges: ClassVar[bool]
    """Of an update: whether embedded objects merge, or are replaced."""

    @model_validator(mode="before")
    @classmethod
    def _not_a_flood(cls, value: object) -> object:
        # Each unknown field is a fault to tell; a hundred thousand of them take seconds.
        if isinstance(value, dict) and len(value) > MOST_FIELDS:
            raise PydanticCustomError(
                "too_many_fields", "Object should have at most {limit} fields", {"limit": MOST_FIELDS}
            )
        return value

    def stored(self) -> Document:
        """As the database holds it: an optional field that is not there is absent, never null."""
        return self.model_dump(exclude_none=True)

    def sent(self) -> Document:
        """Just what the client named, nulls included."""
        return self.model_dump(exclude_unset=True)
