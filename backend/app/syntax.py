"""JSON that no strict parser would refuse."""

from typing import Any

import orjson
import pydantic_core

from backend.app.errors import MalformedBody

DEEPEST_BODY = 64


def parse(raw: bytes | bytearray) -> Any:
    """Two parsers, since each lets through what the other does not.

    orjson refuses everything that is not JSON, but turns an integer past 64 bits into a float; Pydantic's
    keeps it, for the model to refuse, but takes NaN.
    """
    if not raw:
        raise MalformedBody("The body is empty; a JSON object is expected")
    glance(raw)
    return closely(raw)


def glance(raw: bytes | bytearray) -> Any:
    """What is in it, by the quicker one: enough to find out what it is about, and not to store it."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"The body is not JSON: line {error.lineno}, column {error.colno}") from None


def closely(raw: bytes | bytearray) -> Any:
    """What is in it, by the other, if the first took it."""
    try:
        value = pydantic_core.from_json(raw, allow_inf_nan=False)
    except ValueError:
        # Where, and never what: the input is not echoed.
        raise MalformedBody("The body is not JSON: a number is out of range") from None
    if raw.count(b"{") + raw.count(b"[") > DEEPEST_BODY and _depth(value) > DEEPEST_BODY:
        raise MalformedBody(f"The body is nested deeper than {DEEPEST_BODY}")
    return value


def _depth(value: Any) -> int:
    depth = 0
    level = [value]
    while level := [node for node in level if isinstance(node, dict | list)]:
        depth += 1
        level = [item for node in level for item in (node.values() if isinstance(node, dict) else node)]
    return depth
