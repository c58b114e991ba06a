"""A cell read as what its field holds."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from backend.reading import dates, lists, money, text
from backend.reading.fields import Field, Kind, fields_of
from backend.reading.items import Unreadable, quoted
from backend.reading.mapping import Mapping
from backend.reading.salaries import SALARY

Reader = Callable[[Any], object]
"""None is for what is not there."""

YES = {"true", "yes", "y", "1", "t", "active", "open"}
NO = {"false", "no", "n", "0", "f", "inactive", "closed", "expired"}


def reader(field: Field, mapping: Mapping) -> Reader:
    prefix = mapping.prefixes.get(field.path, "")
    readers: dict[str, Reader] = {
        "line": lambda value: text.line(string(value), mapping.repair) or None,
        "prose": lambda value: text.prose(string(value), mapping.repair) or None,
        "verbatim": lambda value: string(value).strip() or None,
        "address": address,
        "remote": lambda value: remote(value, mapping.repair),
        "list": partial(lists.words, separator=mapping.separator, drop=mapping.drop, repair=mapping.repair),
        "date": partial(dates.moment, told=mapping.dates),
        "number": partial(share, decimal=mapping.mark),
        "flag": flag,
        "choice": partial(choice, choices=field.choices),
        "json": written_json,
    }
    read = readers[field.shape]
    return partial(prefixed, prefix, read) if prefix else read


def check_constants(kind: Kind, mapping: Mapping) -> None:
    """Once, before every item of a file is refused for the same one."""
    for path, value in mapping.constants.items():
        if not path.startswith(SALARY):
            try:
                reader(fields_of(kind)[path], mapping)(value)
            except Unreadable as reason:
                raise Unreadable(f"The value for {path}: {reason}") from None


def prefixed(prefix: str, read: Reader, value: object) -> object:
    found = read(value)
    return None if found is None else f"{prefix}{found}"


def string(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(f"Not text: {quoted(value)}")


def address(value: object) -> str | None:
    """Only `&` is escaped in addresses, and `&copy=1` is not."""
    return re.sub(r"&(?:amp|#0*38|#x0*26);", "&", string(value).strip(), flags=re.IGNORECASE) or None


def remote(value: object, repair: bool) -> str | None:
    """A column `Remote` often only says yes or no, and no may still be hybrid."""
    word = text.line(str(value) if isinstance(value, bool) else string(value), repair)
    if word.casefold() in YES:
        return "remote"
    return None if word.casefold() in NO else word or None


def share(value: object, decimal: str | None) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    word = string(value).strip()
    if word.casefold() in dates.NOTHING:
        return None
    if money.EXPONENT.fullmatch(word):
        return float(word)
    if not (found := re.fullmatch(r"(\d[\d.,]*)\s*(%?)", word, re.ASCII)):
        raise Unreadable(f"Not a number: {quoted(value)}")
    digits = found[1]
    # Grouping is for sums of money: 1.234 is one and a bit.
    amount = float(digits) if digits.count(".") == 1 and "," not in digits else money.number(digits, decimal)
    return amount / 100 if found[2] else amount


def flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = string(value).strip().casefold()
    if word in YES | NO:
        return word in YES
    if not word:
        return None
    raise Unreadable(f"Neither yes nor no: {quoted(value)}")


def choice(value: object, choices: tuple[str, ...]) -> str | None:
    """Capitals do not matter here; what is none of them is left for the server to refuse."""
    word = string(value).strip()
    return word.lower() if word.lower() in choices else word or None


def written_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError):
        raise Unreadable(f"Not JSON: {quoted(value)}") from None
