"""How a body is read: in time and within the limit; whole, or a line at a time."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from backend.app.errors import MalformedBody, SlowBody, TooLarge, UnsupportedBody

LONGEST_LENGTH = 18
JSON_TYPE = re.compile(r"application/(json|[a-z0-9_.-]+\+json)")
LINES_TYPE = re.compile(r"application/(x-ndjson|ndjson|jsonl|x-jsonlines)")
UTF_8 = re.compile(r"charset=(utf-?8|\"utf-?8\")")


async def read(request: Request, limit: int, seconds: float) -> bytearray:
    """The body, if it is JSON as sent, within the limit and in time."""
    _check_headers(request)
    length = request.headers.get("content-length", "0")
    # Python itself refuses to read a number of thousands of digits.
    if length.isdecimal() and (len(length) > LONGEST_LENGTH or int(length) > limit):
        raise _too_large(limit)
    # Grows in place: chunks to be joined at the end would need the room twice.
    body = bytearray()
    with told(seconds):
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    return body


async def lines(request: Request, longest: int, seconds: float) -> AsyncIterator[list[bytes | None]]:
    """The lines of the body that are not blank, as they come; None for one that is too long."""
    rest = b""
    skipping = False
    async for chunk in _chunks(request, seconds):
        *ended, rest = (rest + chunk).split(b"\n")
        if ended and skipping:
            ended[0], skipping = b"", False
        yield [line if len(line) <= longest else None for line in ended if line and not line.isspace()]
        if len(rest) > longest:
            if not skipping:
                yield [None]
            rest, skipping = b"", True
    if rest and not rest.isspace() and not skipping:
        yield [rest]


def is_lines(request: Request) -> bool:
    """Whether the body is one document a line."""
    _check_headers(request, LINES_TYPE, JSON_TYPE)
    return bool(LINES_TYPE.fullmatch(_media_type(request)))


async def _chunks(request: Request, seconds: float) -> AsyncIterator[bytes]:
    """What comes, as it comes, each piece in time."""
    stream = request.stream()
    with told(seconds):
        while True:
            async with asyncio.timeout(seconds):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield chunk


@contextmanager
def told(seconds: float) -> Iterator[None]:
    try:
        yield
    except ClientDisconnect:
        raise MalformedBody("The body ended before it was whole") from None
    except TimeoutError:
        raise SlowBody(f"The body did not arrive within {seconds:g} s") from None


def _check_headers(request: Request, *kinds: re.Pattern[str]) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedBody("Send the body as it is, without Content-Encoding")
    if not any(kind.fullmatch(_media_type(request)) for kind in kinds or (JSON_TYPE,)):
        more = ", or lines of it, with application/x-ndjson" if kinds else ""
        raise UnsupportedBody(f"Send JSON, with Content-Type: application/json{more}")
    for parameter in request.headers.get("content-type", "").lower().split(";")[1:]:
        if parameter.strip().startswith("charset") and not UTF_8.fullmatch(parameter.strip()):
            raise UnsupportedBody("Send JSON as UTF-8")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").lower().partition(";")[0].strip()


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes")
