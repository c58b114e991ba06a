"""The data set: postings made from their number and how many there are: the same ones in every run."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.app.db.schema import JOBS
from bench.postings import external_id
from bench.search.vocabulary import (
    COMPANY,
    CURRENCIES,
    PLACE,
    PLATFORMS,
    RARE,
    TITLES,
    VOCABULARY,
    Drawn,
    T,
)

# As MongoDB keeps times.
NEWEST = datetime(2026, 1, 1)  # noqa: DTZ001
SPAN = timedelta(days=365)
LENGTH = 60
"""Words in a description."""
PAID = 0.6
ACTIVE = 0.85
REMOTE = ("remote", "hybrid", "hybrid", "onsite", "onsite", None)


def posting(number: int, count: int) -> dict[str, Any]:
    """What the app keeps of it when it is one of so many, without what it adds for searching."""
    chance = random.Random(number)
    came = came_in(number, count)
    posted = came - timedelta(hours=chance.expovariate(1 / 12))
    if chance.random() < 0.3:
        # Many crawlers know the day only.
        posted = posted.replace(hour=0, minute=0, second=0)
    title, family = pick(chance, TITLES)
    skills = chance.sample(family, chance.randint(4, 8))
    made = {
        "_id": posting_id(number, came),
        "external_id": external_id(number),
        "title": title,
        "company": pick(chance, COMPANY),
        "description": description(chance, title, skills),
        "location": pick(chance, PLACE),
        "skills_required": skills,
        "posted_date": posted.replace(microsecond=0),
        "source_url": f"https://jobs.example.com/postings/{number}",
        "source_platform": pick(chance, PLATFORMS),
        "is_active": chance.random() < ACTIVE,
        "revision": 1,
        "created_at": came,
    }
    if (remote := chance.choice(REMOTE)) is not None:
        made["remote_type"] = remote
    if chance.random() < PAID:
        low = round(chance.lognormvariate(11.3, 0.45), -3)
        high = round(low * chance.uniform(1.1, 1.6), -3)
        made["salary_range"] = {"min": low, "max": high, "currency": pick(chance, CURRENCIES)}
    return made


def stored(number: int, count: int) -> dict[str, Any]:
    """The same as it lies in the database."""
    return JOBS.complete(posting(number, count))


def came_in(number: int, count: int) -> datetime:
    """Over a year, ever more of them."""
    share: float = ((number + 1) / count) ** 0.7
    when = NEWEST - SPAN * (1 - share)
    return when.replace(microsecond=0)


def posting_id(number: int, came: datetime) -> ObjectId:
    seconds = int((came - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001
    return ObjectId(f"{seconds:08x}{number:016x}")


def numbered(which: str) -> int:
    """The number of the posting with this id."""
    return int(which[8:], 16)


def description(chance: random.Random, title: str, skills: list[str]) -> str:
    text = chance.choices(VOCABULARY.things, cum_weights=VOCABULARY.weights, k=LENGTH - 12)
    text += title.split() + [skill for skill in skills[:3] for skill in skill.split()]
    if chance.random() < 0.3:
        text.append(chance.choice(RARE))
    chance.shuffle(text)
    sentences = (" ".join(text[start : start + 12]).capitalize() for start in range(0, len(text), 12))
    return ". ".join(sentences) + "."


def pick(chance: random.Random, drawn: Drawn[T]) -> T:
    return chance.choices(drawn.things, cum_weights=drawn.weights)[0]


def batches(first: int, last: int, count: int, size: int = 1_000) -> Iterator[list[dict[str, Any]]]:
    for start in range(first, last, size):
        yield [stored(number, count) for number in range(start, min(start + size, last))]
