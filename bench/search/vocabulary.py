"""What the postings are made of: words, titles, skills, companies and places, with how often each comes."""

import json
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, product
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

WORDS = 20_000
RARE_WORDS = 200_000
COMPANIES = 5_000
PLACES = 300


class Drawn(Generic[T]):
    """Things of which the first come most often, as Zipf found of words and cities."""

    def __init__(self, things: Sequence[T], *, flat: float = 2.7, steep: float = 1.0) -> None:
        self.things = things
        self.weights = list(accumulate(1 / (place + flat) ** steep for place in range(1, len(things) + 1)))


# The commonest words of advertisements, families of titles with their skills, and places: each list from the
# most frequent down.
_KNOWN = json.loads(Path(__file__).with_name("vocabulary.json").read_text())
_ONSETS = (
    "b",
    "br",
    "c",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "t",
    "v",
)
_RIMES = ("a", "al", "an", "ar", "e", "el", "en", "er", "i", "in", "o", "on", "or", "u", "un", "ia")


def _made(parts: int) -> Iterator[str]:
    """Words that nobody knows, in an order that does not show how they are made."""
    syllables = [onset + rime for onset, rime in product(_ONSETS, _RIMES)]
    count = len(syllables) ** parts
    # A prime, so that every combination comes once.
    for number in range(count):
        scattered = number * 1_000_003 % count
        word = ""
        for _ in range(parts):
            scattered, place = divmod(scattered, len(syllables))
            word += syllables[place]
        yield word


VOCABULARY = Drawn([*_KNOWN["common"], *islice(_made(2), WORDS - len(_KNOWN["common"]))])
RARE = list(islice(_made(3), RARE_WORDS))

TITLES: Drawn[tuple[str, list[str]]] = Drawn(
    [(title, family["skills"]) for family in _KNOWN["families"] for title in family["titles"]], flat=12
)
"""Each with the skills that go with it."""

_KINDS = ("Labs", "Systems", "Technologies", "GmbH", "Inc", "Group", "Software", "AI", "Health", "Analytics")
_FIRMS = [word.capitalize() for word in islice(_made(2), WORDS, WORDS + COMPANIES)]
COMPANY = Drawn([f"{firm} {_KINDS[number % len(_KINDS)]}" for number, firm in enumerate(_FIRMS)], flat=20)

_REGIONS = ("CA", "TX", "NY", "Germany", "India", "UK", "Poland", "Brazil", "France", "Canada")
_TOWNS = [word.capitalize() for word in islice(_made(2), WORDS + COMPANIES, WORDS + COMPANIES + PLACES)]
PLACE = Drawn(
    [
        *_KNOWN["places"],
        *(
            f"{town}, {_REGIONS[n % len(_REGIONS)]}"
            for n, town in enumerate(_TOWNS[: PLACES - len(_KNOWN["places"])])
        ),
    ]
)
PLATFORMS = Drawn(
    ["LinkedIn", "Indeed", "Glassdoor", "Greenhouse", "Lever", "StepStone", "Hacker News", "Naukri"], flat=0.5
)
CURRENCIES = Drawn(["USD", "EUR", "GBP", "INR"], flat=0.5)
