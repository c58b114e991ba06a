"""HTML pages: the blocks of JSON-LD in them."""

import html
import json
import re
from collections.abc import Iterator

import orjson

from backend.reading.documents import LARGEST_ELEMENT
from backend.reading.items import Record, refused
from backend.reading.streams import Source

OPENS = re.compile(r"<script\b([^<>]*)>", re.IGNORECASE)
CLOSES = re.compile(r"</script\s*>", re.IGNORECASE)
JSON_LD = re.compile(r"""type\s*=\s*["']?\s*application/ld\+json""", re.IGNORECASE)
WRAPPING = re.compile(r"^\s*(?:<!--|//<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\]\]>|\]\]>)\s*$")


def blocks(source: Source) -> Iterator[Record]:
    page = source.stream.read(LARGEST_ELEMENT + 1)
    if len(page) > LARGEST_ELEMENT:
        yield refused("the page", "It is larger than 64 MiB", code="too_long")
        return
    text = page.decode("utf-8", "replace")
    number = position = 0
    while opening := OPENS.search(text, position):
        closing = CLOSES.search(text, opening.end())
        position = closing.start() if closing else len(text)
        if JSON_LD.search(opening[1]):
            number += 1
            yield block(f"block {number}", text[opening.end() : position])


def block(place: str, script: str) -> Record:
    script = WRAPPING.sub("", script)
    try:
        return Record(place, orjson.loads(script))
    except orjson.JSONDecodeError:
        pass
    # Line breaks inside strings, or entities throughout, are what pages have wrong most.
    for text in (script, html.unescape(script)):
        try:
            return Record(place, json.loads(text, strict=False))
        except (ValueError, RecursionError) as error:
            wrong = error
    return refused(place, f"Not JSON: {wrong}", script.strip())
