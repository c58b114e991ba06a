"""The failures as the document declares them: each once, for all operations."""

import json
from typing import Any

from backend.app.errors import (
    MEDIA_TYPE,
    Failure,
    Internal,
    Invalid,
    InvalidId,
    KeyTaken,
    NotFound,
    Overdue,
    SlowBody,
    Stale,
    TooLarge,
    Unavailable,
    UnsupportedBody,
    from_failure,
)
from backend.app.openapi.headers import REQUEST_ID

Node = dict[str, Any]

# What each status means, and a failure to show as its example.
PROBLEMS: dict[int, tuple[str, Failure]] = {
    400: (
        "The request is malformed: its JSON, an id, a cursor, a key; or an update names no field",
        InvalidId("Invalid user ID"),
    ),
    404: ("There is no such document, or no parent for it", NotFound("User not found")),
    408: ("The body came too slowly", SlowBody("The body did not arrive within 5 s")),
    409: (
        "The unique key is taken; the run is not open; or a request under the same key is still running",
        KeyTaken("User with this email already exists"),
    ),
    412: ("The document has changed since the entity tag was given out", Stale()),
    413: ("The body is too large", TooLarge("The body is larger than 1048576 bytes")),
    415: (
        "The body is not plain JSON",
        UnsupportedBody("Send JSON, with Content-Type: application/json"),
    ),
    422: (
        "The input is invalid, one entry in `errors` per fault; or the key was used for another request",
        Invalid(
            "The request has 1 fault",
            faults=[
                {"pointer": "/preferences/skill", "detail": "No such field", "code": "unknown_field"},
            ],
        ),
    ),
    500: ("A fault of the service", Internal()),
    503: (
        "The database is away; try again after `Retry-After` seconds",
        Unavailable("The database cannot be reached"),
    ),
    504: ("The database took too long", Overdue()),
}
# Which problems say when to try again, and which header description that is.
RETRIED = {409: "Retry-After-Key", 503: "Retry-After"}


def problem(status: int) -> Node:
    description, failure = PROBLEMS[status]
    example = {**json.loads(bytes(from_failure(failure).body)), "request_id": REQUEST_ID}
    names = {"X-Request-ID": "X-Request-ID"}
    if status in RETRIED:
        names["Retry-After"] = RETRIED[status]
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{about}"} for name, about in names.items()},
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def problem_name(status: int) -> str:
    return f"Problem{status}"
