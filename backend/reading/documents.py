"""JSON: a value to the line, or one long document."""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ijson
import orjson
from ijson.common import JSONError

from backend.reading.items import BROKEN_OFF, Record, Unreadable, refused
from backend.reading.streams import LONGEST, Source

LARGEST_ELEMENT = 64 * 1024 * 1024
CHUNK = 64 * 1024


def lines(source: Source) -> Iterator[Record]:
    number = 0
    while line := source.stream.readline(LONGEST + 1):
        number += 1
        place = f"line {number}"
        if len(line.rstrip(b"\r\n")) > LONGEST - 1 and not line.endswith(b"\n"):
            raw = shown(line)
            while line and not line.endswith(b"\n"):
                line = source.stream.readline(LONGEST)
            yield refused(place, "The line is longer than 1 MiB", raw, "too_long")
        elif stripped := line.strip():
            try:
                yield Record(place, orjson.loads(stripped))
            except orjson.JSONDecodeError as error:
                yield refused(place, f"Not JSON: {reason(error)}", shown(stripped))


class Portion:
    """What the parser reads from: it ends where one element has grown too large for memory."""

    def __init__(self, source: Source) -> None:
        self._stream = source.stream
        self.left = LARGEST_ELEMENT

    def read(self, size: int) -> bytes:
        if self.left <= 0:
            raise Unreadable("An element is larger than 64 MiB, or the list is not where it was said to be")
        piece = self._stream.read1(size)
        self.left -= len(piece)
        return piece


def elements(source: Source, path: str) -> Iterator[Record]:
    """Of the list at `path`, else of the document if it is a list; else the document, or each of several."""
    is_list = source.head.lstrip().startswith(b"[")
    at = f"{path}.item" if path else "item" if is_list else ""
    portion = Portion(source)
    number = 0
    try:
        # With use_float one number too large would end the whole array.
        for value in ijson.items(portion, at, buf_size=CHUNK, multiple_values=not at):
            number += 1
            yield element(f"item {number}", value)
            portion.left = LARGEST_ELEMENT
    except (JSONError, Unreadable, UnicodeDecodeError) as error:
        lost = f"Here the document breaks, and what follows is lost: {brief(error)}"
        yield refused(f"item {number + 1}", lost, code=BROKEN_OFF)
        return
    if path and not number:
        yield refused("item 1", f"There is no list at {path}, or it is empty", code=BROKEN_OFF)


def element(place: str, value: Any) -> Record:
    try:
        return Record(place, with_floats(value))
    except Unreadable as reason:
        return refused(place, str(reason))
    except RecursionError:
        return refused(place, "Nested too deep")


def with_floats(value: Any) -> Any:
    """Fractions as they are on the way to the server."""
    if isinstance(value, dict):
        return {name: with_floats(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [with_floats(inside) for inside in value]
    if not isinstance(value, Decimal):
        return value
    if math.isinf(number := float(value)):
        raise Unreadable(f"A number too large: {value}")
    return number


def brief(error: Exception) -> str:
    """Of a parser that draws a picture below its reason."""
    said: Any = error.args[0] if error.args else error
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)).split("\n")[0].strip()


def reason(error: json.JSONDecodeError) -> str:
    return f"{error.msg} at character {error.pos + 1}"


def shown(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
