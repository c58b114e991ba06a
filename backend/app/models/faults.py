"""What is wrong with input: where, and in which words."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

LONGEST_NAME = 100


class Fault(BaseModel):
    """One thing wrong with the input."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    pointer: str
    """Where: a JSON Pointer into the body, or into the path, query or header parameters."""
    detail: str
    code: str


def faults_of(errors: Iterable[Any], prefix: Sequence[str | int] = ()) -> list[dict[str, str]]:
    """What Pydantic found, one by one."""
    return [
        {
            "pointer": pointer((*prefix, *error["loc"])),
            "detail": DETAILS.get(error["type"], error["msg"]),
            "code": CODES.get(error["type"], error["type"]),
        }
        for error in errors
    ]


# Pydantic's words where they speak of Python, or of less than the reader needs.
DETAILS = {
    "extra_forbidden": "No such field, or one that cannot be set here",
    "missing": "This field is required",
    "model_attributes_type": "Input should be a JSON object",
    "model_type": "Input should be a JSON object",
    "dict_type": "Input should be a JSON object",
    "list_type": "Input should be a JSON array",
}
CODES = {
    "extra_forbidden": "unknown_field",
    "model_attributes_type": "object_type",
    "model_type": "object_type",
    "dict_type": "object_type",
    "list_type": "array_type",
}


def suggestion(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:LONGEST_NAME], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def pointer(place: Sequence[str | int]) -> str:
    """RFC 6901, from the root of the body; a parameter's starts with where it was sent.

    A step is cut where it gets longer than any name of ours: it is the client's own.
    """
    place = [step if isinstance(step, int) else step[:LONGEST_NAME] for step in place]
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)
