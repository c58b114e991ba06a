"""Skills and tags: a list in one cell."""

import ast
import json
from typing import Any

from backend.reading import text
from backend.reading.items import Unreadable, quoted

# The first that occurs divides: what is between semicolons may well hold commas.
SEPARATORS = (";", "|", "\n", ",")


def words(
    value: object, separator: str | None = None, drop: tuple[str, ...] = (), repair: bool = True
) -> list[str] | None:
    """Without the empty ones, and each once, whichever way it is capitalised."""
    if isinstance(value, str):
        # Before it is divided: an entity ends with a semicolon too.
        whole = text.prose(value, repair)
        parts = written_list(whole) or divided(whole, separator)
    elif isinstance(value, list):
        parts = value
    else:
        raise Unreadable(f"Not a list: {quoted(value)}")
    unwanted = {word.casefold() for word in drop}
    found: dict[str, str] = {}
    for part in parts:
        if not isinstance(part, str | int | float):
            raise Unreadable(f"Not a list of words: {quoted(value)}")
        word = text.line(str(part), repair).removeprefix("- ")
        if word and word.casefold() not in unwanted:
            found.setdefault(word.casefold(), word)
    return list(found.values()) or None


def divided(whole: str, separator: str | None) -> list[str]:
    by = separator or next((sign for sign in SEPARATORS if sign in whole), None)
    return whole.split(by) if by else [whole]


def written_list(whole: str) -> list[Any] | None:
    """A list as JSON writes it, or Python."""
    if not (whole.startswith("[") and whole.endswith("]")):
        return None
    for reader in (json.loads, ast.literal_eval):
        try:
            parts = reader(whole)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parts, list):
            return parts
    return None
