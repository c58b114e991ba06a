"""The headers that are sent and answered, each once."""

from typing import Any

from backend.app.idempotency import LONGEST_KEY

Node = dict[str, Any]

REQUEST_ID = "5f0c8f3e9d0b4b6f"

HEADERS: dict[str, Node] = {
    "ETag": {
        "description": "The entity tag: changes whenever the answer does. In gzip, it ends in `-gzip`.",
        "required": True,
        "schema": {
            "type": "string",
            "pattern": '^"[0-9a-f]+(-gzip)?"$',
            "examples": ['"9f86d081884c7d659a2feaa0"'],
        },
    },
    "Location": {
        "description": "Where the new document is.",
        "required": True,
        "schema": {
            "type": "string",
            "format": "uri-reference",
            "examples": ["/users/665f00000000000000000001"],
        },
    },
    "Link": {
        "description": 'Where the next page is, with `rel="next"`; absent on the last page.',
        "schema": {"type": "string", "examples": ['</jobs/?limit=50&cursor=c2Vl>; rel="next"']},
    },
    "X-Total-Count": {
        "description": "How many there are in all, if `count=true` was asked for.",
        "schema": {"type": "integer", "minimum": 0, "examples": [1234]},
    },
    "X-Request-ID": {
        "description": "The id of the request: the one sent, or one made here.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "examples": [REQUEST_ID]},
    },
    "Retry-After": {
        "description": "Seconds to wait before another try.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
    },
    "Retry-After-Key": {
        "description": "If the code is `in_progress`: seconds to wait before another try.",
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
    },
    "Idempotent-Replayed": {
        "description": "Present if this is the answer to an earlier request under the `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"], "examples": ["true"]},
    },
}

IF_NONE_MATCH: Node = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "Answer 304, without a body, if this is still the entity tag.",
    "schema": {"type": "string"},
}

IDEMPOTENCY_KEY: Node = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Do this once, however often it is sent: the first answer is kept for 24 hours, and given again to "
        "the same request under the same key. A request that was refused has used up no key."
    ),
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_KEY,
        "pattern": "^[!-~]+$",
        "examples": ["9f1c7a52-2f0e-4c5b-9d5e-0a4b7c3d1e68"],
    },
}
