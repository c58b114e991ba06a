"""What counted groups of postings come to, as facets show them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import count
from math import ceil, floor, log10

from backend.app.models.base import Document
from backend.app.models.job_filters import MOST_WORDS
from backend.app.models.searchable import NOT_PAID, name_of
from backend.app.models.words import words

Groups = Iterable[tuple[str, int]]
Fold = Callable[[str], str]

LONGEST_VALUE = 200
"""What is longer is no name, and counts as none."""
WEEKS = 52
RANGES = 16
# Of all that pay in a currency: how many come before the last range, which has no upper end.
BELOW_THE_LAST = 0.98


def as_name(value: str) -> str:
    """A value whose filter takes the whole name: what is the same to the filter is one."""
    return name_of(value) if len(value) <= LONGEST_VALUE else ""


def as_words(value: str) -> str:
    """A value whose filter takes the words of it."""
    found = words(value) if len(value) <= LONGEST_VALUE else []
    return " ".join(found) if len(found) <= MOST_WORDS else ""


def tallied(groups: Groups, fold: Fold) -> tuple[Counter[str], dict[str, str]]:
    """How many have each value, folded, and how most of them spell it; nothing stands for those without."""
    counts: Counter[str] = Counter()
    spellings: dict[str, tuple[int, str]] = {}
    for value, number in groups:
        folded = fold(value)
        counts[folded] += number
        # Of those as frequent, the first by name.
        spellings[folded] = min(spellings.get(folded, (0, "")), (-number, value))
    return counts, {folded: value for folded, (_, value) in spellings.items()}


def values(counts: Counter[str], spellings: dict[str, str], most: int) -> list[Document]:
    listed = ((-number, spellings.get(folded, folded)) for folded, number in counts.items() if folded)
    return [{"value": value, "postings": -number} for number, value in sorted(listed)[:most]]


def weeks(groups: Iterable[tuple[datetime, int]]) -> Document:
    first_to_last = sorted(groups)
    shown = [{"week": monday.date().isoformat(), "postings": n} for monday, n in first_to_last[-WEEKS:]]
    return {"weeks": shown, "earlier": sum(number for _, number in first_to_last[:-WEEKS])}


def pay(groups: Iterable[tuple[tuple[str, float], int]]) -> Document:
    """Of groups by currency and amount."""
    unpaid = 0
    amounts: dict[str, Counter[float]] = defaultdict(Counter)
    for (code, amount), number in groups:
        if amount == NOT_PAID:
            unpaid += number
        else:
            amounts[code][amount] += number
    paid = {code: found.total() for code, found in amounts.items()}
    first = sorted(paid, key=lambda code: (-paid[code], code))[:1]
    ranges = [one for code in first for one in _ranges(amounts.pop(code))]
    otherwise = sum(found.total() for found in amounts.values())
    currency = first[0] if first else None
    return {"currency": currency, "ranges": ranges, "otherwise_paid": otherwise, "unpaid": unpaid}


def _ranges(amounts: Counter[float]) -> Iterator[Document]:
    lowest, high = min(amounts), _below_which(amounts, BELOW_THE_LAST)
    # Amounts come with three digits: what is finer cannot be told apart.
    width = _round_number(max((high - lowest) / RANGES, high / 100, 1))
    start = floor(lowest / width)
    counts: Counter[int] = Counter()
    for amount, number in amounts.items():
        counts[floor(amount / width)] += number
    end = floor(high / width)
    for place in range(start, end + 1):
        yield {"at_least": place * width, "below": (place + 1) * width, "postings": counts.pop(place, 0)}
    if counts:
        yield {"at_least": (end + 1) * width, "below": None, "postings": counts.total()}


def _below_which(amounts: Counter[float], share: float) -> float:
    """The least of the amounts that so many reach at most."""
    left = ceil(amounts.total() * share)
    for amount in sorted(amounts):
        left -= amounts[amount]
        if left <= 0:
            break
    return amount


def _round_number(least: float) -> int:
    """1, 2 or 5 with zeros."""
    for zeros in count(floor(log10(least))):
        for digit in (1, 2, 5):
            if digit * 10**zeros >= least:
                return int(digit * 10**zeros)
    raise AssertionError
