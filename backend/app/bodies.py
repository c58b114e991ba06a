"""How a body is read: in time, within the limit, and as JSON that no strict parser would refuse."""

import asyncio
import re
from typing import Any

import orjson
import pydantic_core
from fastapi import Request
from starlette.requests import ClientDisconnect

from backend.app.errors import MalformedBody, SlowBody, TooLarge, UnsupportedBody

DEEPEST_BODY = 64
LONGEST_LENGTH = 18
JSON_TYPE = re.compile(r"application/(json|[a-z0-9_.-]+\+json)")
UTF_8 = re.compile(r"charset=(utf-?8|\"utf-?8\")")


async def read(request: Request, limit: int, seconds: float) -> bytes:
    """The body, if it is JSON as sent, within the limit and in time."""
    _check_headers(request, limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
    except ClientDisconnect:
        raise MalformedBody("The body ended before it was whole") from None
    except TimeoutError:
        raise SlowBody(f"The body did not arrive within {seconds:g} s") from None
    return b"".join(chunks)


def _check_headers(request: Request, limit: int) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedBody("Send the body as it is, without Content-Encoding")
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    if not JSON_TYPE.fullmatch(kind.strip()):
        raise UnsupportedBody("Send JSON, with Content-Type: application/json")
    for parameter in parameters:
        if parameter.strip().startswith("charset") and not UTF_8.fullmatch(parameter.strip()):
            raise UnsupportedBody("Send JSON as UTF-8")
    length = request.headers.get("content-length", "0")
    # Python itself refuses to read a number of thousands of digits.
    if length.isdecimal() and (len(length) > LONGEST_LENGTH or int(length) > limit):
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes")


def parse(raw: bytes) -> Any:
    """Two parsers, since each lets through what the other does not.

    orjson refuses everything that is not JSON, but turns an integer past 64 bits into a float; Pydantic's
    keeps it, for the model to refuse, but takes NaN.
    """
    if not raw:
        raise MalformedBody("The body is empty; a JSON object is expected")
    try:
        orjson.loads(raw)
        value = pydantic_core.from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedBody(f"The body is not JSON: {_reason(error)}") from None
    if raw.count(b"{") + raw.count(b"[") > DEEPEST_BODY and _depth(value) > DEEPEST_BODY:
        raise MalformedBody(f"The body is nested deeper than {DEEPEST_BODY}")
    return value


def _reason(error: ValueError) -> str:
    """Where, and never what: the input is not echoed."""
    if isinstance(error, orjson.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    return "a number is out of range"


def _depth(value: Any) -> int:
    depth = 0
    level = [value]
    while level := [node for node in level if isinstance(node, dict | list)]:
        depth += 1
        level = [item for node in level for item in (node.values() if isinstance(node, dict) else node)]
    return depth
