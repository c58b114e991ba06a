"""The fields that items have, and how the value of each is read: both follow from the models."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from backend.app.models.base import JsonObject, Strings
from backend.app.models.bulk import PARENT_NAMES, InteractionItem, MatchItem
from backend.app.models.jobs import JobIn, SalaryRange, WebAddress

Kind = Literal["jobs", "matches", "interactions"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MODELS: dict[Kind, type[BaseModel]] = {"jobs": JobIn, "matches": MatchItem, "interactions": InteractionItem}

Shape = Literal[
    "line",
    "prose",
    "verbatim",
    "address",
    "remote",
    "list",
    "date",
    "number",
    "flag",
    "choice",
    "json",
    "pay",
]
BY_TYPE: list[tuple[object, Shape]] = [
    (Strings, "list"),
    (JsonObject, "json"),
    (WebAddress, "address"),
    (SalaryRange, "pay"),
]
BY_BASE: dict[type, Shape] = {str: "line", float: "number", datetime: "date", bool: "flag"}
# Where strings differ by more than their type tells.
BY_NAME: dict[str, Shape] = {
    "external_id": "verbatim",
    "user_email": "verbatim",
    "job_external_id": "verbatim",
    "description": "prose",
    "match_reason": "prose",
    "processed_text": "prose",
    "remote_type": "remote",
    "keyword_vector": "json",
}


@dataclass(frozen=True)
class Field:
    path: str
    """Dotted, where it is embedded."""
    shape: Shape
    required: bool = False
    instead: str | None = None
    """What may be sent in its place."""
    choices: tuple[str, ...] = ()

    @property
    def may_be_empty(self) -> bool:
        """A required string is sent even so: whether empty will do is for the server to say."""
        return self.required and self.shape in {"line", "prose", "verbatim"} and self.instead is None


@cache
def fields_of(kind: Kind) -> dict[str, Field]:
    return {field.path: field for field in walk(MODELS[kind])}


def walk(model: type[BaseModel], above: str = "") -> Iterator[Field]:
    hints = get_type_hints(model, include_extras=True)
    for name, info in model.model_fields.items():
        hint = without_none(hints[name])
        path = f"{above}{name}"
        inside = hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None
        shape = next((shape for known, shape in BY_TYPE if known == hint), None)
        yield Field(
            path,
            BY_NAME.get(name) or shape or shape_of(hint, embedded=inside is not None),
            required=(info.is_required() or name in PARENT_NAMES) and not above,
            instead=PARENT_NAMES.get(name),
            choices=get_args(hint) if get_origin(hint) is Literal else (),
        )
        if inside:
            yield from walk(inside, f"{path}.")


def shape_of(hint: Any, *, embedded: bool) -> Shape:
    if embedded:
        return "json"
    if get_origin(hint) is Literal:
        return "choice"
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return BY_BASE.get(base, "verbatim")


def without_none(hint: Any) -> Any:
    if get_origin(hint) in {Union, UnionType}:
        return next(one for one in get_args(hint) if one is not type(None))
    return hint
