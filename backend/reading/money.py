"""Sums of money as people write them. What could be two sums, or none, is refused, never guessed."""

import math
import re
from dataclasses import dataclass

from backend.reading.currencies import UNTOLD, WRITTEN, Sign, agreed, several, signs_in
from backend.reading.items import Unreadable, quoted

AMOUNT = re.compile(
    r"(\d{1,3}(?:[ '\u2019]\d{3})+(?:[.,]\d{1,2})?(?![\d.,])|\d(?:[\d.,]*\d)?)(?:\s?([kKmM])(?![^\W\d_]))?",
    re.ASCII,
)
EXPONENT = re.compile(r"\d(?:\.\d+)?[eE][+-]?\d{1,2}", re.ASCII)
LONGEST = 200
SCALES = {"": 1, "k": 1_000, "m": 1_000_000}

NOTHING = UNTOLD | several("competitive negotiable tbd doe \u2013 \u2014")
NOTHING |= {f"not {word}" for word in ("disclosed", "specified", "stated", "provided")}
YEARLY = several("annual annually annum jahr pa p a year yearly yr y per pro an par")
OTHERWISE = several("hour hourly hr h day daily d week weekly wk month monthly mo shift project") | several(
    "stunde monat tag heure mois jour"
)
AT_LEAST = several("from ab min minimum starting over")
AT_MOST = several("up max maximum bis under")
BESIDE = several(
    "to and at between plus base salary pay range gross brut brutto bonus bonuses equity benefits ote doe und"
)
KNOWN = YEARLY | AT_LEAST | AT_MOST | BESIDE
BELOW_ZERO = re.compile(r"[^\w#]*-\s*#")
# Between two sums; with a plus there the second is an extra.
RANGE = re.compile(r"#[^#+]*(?:[\-\u2010-\u2015]|\b(?:to|and|bis|und|a)\b)[^#+]*#")
STRANGE = re.compile(r"[^\w\s#.,:()/&+~\-\u2010-\u2015]|_")


class OtherPeriod(Unreadable):
    """Paid by the hour, the month…: a sum, but not of a year."""


@dataclass(frozen=True)
class Pay:
    low: float | None
    high: float | None
    currencies: Sign = frozenset()
    """Empty where none is written."""


def pay(value: object, decimal: str | None = None) -> Pay | None:
    """One sum or a range, of a year."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Pay(value, value)
    if not isinstance(value, str):
        raise not_money(value)
    text = " ".join(value.split())
    if len(text) > LONGEST:
        raise not_money(value)
    if text.casefold() in NOTHING:
        return None
    if EXPONENT.fullmatch(text):
        return Pay(rounded(float(text)), rounded(float(text)))
    return Pay(*bounds(WRITTEN.sub(" ", text), decimal, value), agreed(signs_in(text)))


def bounds(text: str, decimal: str | None, value: str) -> tuple[float | None, float | None]:
    found = AMOUNT.findall(text)
    rest = AMOUNT.sub(" # ", text)
    words = set(re.findall(r"[^\W\d_]+", rest.casefold()))
    if not 1 <= len(found) <= 2 or STRANGE.search(rest) or BELOW_ZERO.match(rest):
        raise not_money(value)
    if words & OTHERWISE:
        raise OtherPeriod(f"Not paid by the year, and never converted: {quoted(value)}")
    if words - KNOWN:
        raise not_money(value)
    sums = scaled(found, decimal)
    if len(sums) == 2:
        if not RANGE.search(rest.casefold()):
            raise not_money(value)
        return sums[0], sums[1]
    if words & AT_MOST:
        return None, sums[0]
    if words & AT_LEAST or re.search(r"#\s*\+\s*(?![\w\s])", f"{rest}."):
        return sums[0], None
    return sums[0], sums[0]


def scaled(found: list[tuple[str, str]], decimal: str | None) -> list[float]:
    scales = [SCALES[letter.lower()] for _, letter in found]
    sums = [number(digits, decimal, has_scale=bool(letter)) for digits, letter in found]
    # The first of `120-150k` is no less a thousand than the second.
    if len(sums) == 2 and scales[0] == 1 and sums[0] < SCALES["k"]:
        scales[0] = scales[1]
    return [rounded(amount * scale) for amount, scale in zip(sums, scales, strict=True)]


def number(text: str, decimal: str | None = None, *, has_scale: bool = False) -> float:
    """`1,200.50`, `1.200,50`, `1 200.5`, `1'200`, `12,00,000`, `1200`."""
    digits = re.sub(r"[\s'\u2019]", "", text)
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return rounded(float(digits))
    mark, before, after = digits[last], digits[:last], digits[last + 1 :]
    grouping = "," if mark == "." else "."
    if mark in before or not is_decimal(before, mark, after, decimal, has_scale=has_scale):
        before, after, grouping = digits, "", mark
    groups = before.split(grouping)
    if grouping == decimal or not grouped(groups):
        raise not_money(text)
    return rounded(float(f"{''.join(groups)}.{after or 0}"))


def is_decimal(before: str, mark: str, after: str, decimal: str | None, *, has_scale: bool) -> bool:
    if decimal:
        return mark == decimal
    if len(after) != 3 or has_scale or len(before) > 3 or before == "0":
        return True
    if mark == ".":
        # A program writes 45.125 with a dot, and half of Europe writes 45.000 for 45,000.
        raise Unreadable(
            f"Thousands or decimals? {quoted(before + mark + after)}; say decimal:=point or decimal:=comma"
        )
    return False


def grouped(groups: list[str]) -> bool:
    if not all(group.isdecimal() for group in groups):
        return False
    first, *others = (len(group) for group in groups)
    # By three, or as in India the upper ones by two.
    return not others or (first <= 3 and others[-1] == 3 and set(others[:-1]) in (set(), {3}, {2}))


def rounded(amount: float) -> float:
    """Without the dust of a multiplication; a whole number as one."""
    if not math.isfinite(amount):
        raise Unreadable("Not an amount of money: too large")
    amount = round(amount, 6)
    return int(amount) if float(amount).is_integer() else amount


def not_money(value: object) -> Unreadable:
    return Unreadable(f"Not an amount of money: {quoted(value)}")
