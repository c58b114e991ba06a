"""What is asked, by kinds: each time something else, and nearly always something that can be found."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from backend.app.models.words import words
from bench.search.postings import NEWEST, SPAN, posting
from bench.search.vocabulary import RARE, TITLES, VOCABULARY

LIMIT = 50
ORDERS = ("-posted_date", "posted_date", "-salary", "title", "-score")
BEST_OF = {"q": "and"}
"""What is asked for where postings have to have a score."""
DEEP = 500
SLACK = 1.5
"""How many times as long as the first page a deep one may take."""

Asked = dict[str, Any]
Ask = Callable[[random.Random, int], Asked]
"""The parameters of a question, of so many postings."""


@dataclass(frozen=True)
class Kind:
    title: str
    ask: Ask


@dataclass(frozen=True)
class Group:
    """Kinds of questions that one target is for."""

    title: str
    path: str
    most: float
    """That p95 may be, in ms."""
    kinds: Sequence[Kind]
    beside: Sequence[tuple[str, Any]] = ()
    """What each of them is asked with."""


COMMON = VOCABULARY.things[:40]
MIDDLING = VOCABULARY.things[100:400]
SCARCE = VOCABULARY.things[3_000:15_000]
SKILLS = sorted({skill for _, family in TITLES.things for skill in family})


def drawn(*pools: Sequence[str]) -> Ask:
    """Words that have nothing to do with each other."""

    def ask(chance: random.Random, _: int) -> Asked:
        return {"q": " ".join(chance.choice(pool) for pool in pools)}

    return ask


def some(chance: random.Random, count: int) -> dict[str, Any]:
    return posting(chance.randrange(count), count)


def of_a_text(number: int) -> Ask:
    def ask(chance: random.Random, count: int) -> Asked:
        found = sorted(set(words(some(chance, count)["description"])))
        return {"q": " ".join(chance.sample(found, number))}

    return ask


def typed(number: int) -> Ask:
    """As people do: some of a title, a skill and a place."""

    def ask(chance: random.Random, count: int) -> Asked:
        while True:
            one = some(chance, count)
            place = words(one["location"])
            found = [*words(one["title"]), *words(one["skills_required"][0]), *islice(place, 1)]
            if len(distinct := list(dict.fromkeys(found))) >= number:
                return {"q": " ".join(chance.sample(distinct, number))}

    return ask


def fields(*names: str) -> Ask:
    """Filters by what one posting says: something is found."""

    def ask(chance: random.Random, count: int) -> Asked:
        while True:
            one = some(chance, count)
            found = {name: FILTERS[name](one, chance) for name in names}
            if all(value is not None for value in found.values()):
                return found

    return ask


def of_two(one: str, other: str) -> Ask:
    """Filters by what two postings say: often nothing is both."""

    def ask(chance: random.Random, count: int) -> Asked:
        return {**fields(one)(chance, count), **fields(other)(chance, count)}

    return ask


def any_skill(number: int) -> Ask:
    return lambda chance, _: {"skill": chance.sample(SKILLS, number), "skills": "any"}


def _pay(one: dict[str, Any], name: str, share: float) -> int | None:
    pay = one.get("salary_range")
    return pay and int(pay[name] * share)


def _day(chance: random.Random) -> str:
    # More often of late, as who searches does.
    return (NEWEST - SPAN * chance.random() ** 3).date().isoformat()


FILTERS: dict[str, Callable[[dict[str, Any], random.Random], Any]] = {
    "title": lambda one, _: one["title"],
    "company": lambda one, _: one["company"],
    "location": lambda one, _: one["location"],
    "skill": lambda one, chance: chance.choice(one["skills_required"]),
    "remote_type": lambda one, _: one.get("remote_type"),
    "source_platform": lambda one, _: one["source_platform"],
    "salary_min": lambda one, _: _pay(one, "min", 1.0),
    "salary_max": lambda one, _: _pay(one, "max", 1.2),
    "currency": lambda one, _: one.get("salary_range", {}).get("currency"),
    "posted_after": lambda _, chance: _day(chance),
    "posted_before": lambda _, chance: _day(chance),
}


def two_skills(chance: random.Random, count: int) -> Asked:
    return {"skill": chance.sample(some(chance, count)["skills_required"], 2)}


def kind(*names: str) -> Kind:
    return Kind(", ".join(names), fields(*names))


WORDS = (
    Kind("1 common word", drawn(COMMON)),
    Kind("1 middling word", drawn(MIDDLING)),
    Kind("1 rare word", drawn(SCARCE)),
    Kind("1 word of hardly any posting", drawn(RARE)),
    Kind("1 skill", lambda chance, _: {"q": chance.choice(SKILLS)}),
    Kind("2 common words", drawn(COMMON, COMMON)),
    Kind("a common and a rare word", drawn(COMMON, SCARCE)),
    Kind("2 rare words", drawn(SCARCE, SCARCE)),
    *(Kind(f"{number} words as people type them", typed(number)) for number in (2, 3, 4)),
    *(Kind(f"{number} words of one description", of_a_text(number)) for number in (2, 3, 4)),
    Kind("2 middling words, unrelated", drawn(MIDDLING, MIDDLING)),
    Kind("2 common, 2 middling words, unrelated", drawn(COMMON, COMMON, MIDDLING, MIDDLING)),
)
PAGE = (("limit", LIMIT),)
NEWEST_FIRST = (*PAGE, ("sort", "-posted_date"))

GROUPS = (
    Group("q, best first", "/jobs/", 50, WORDS, PAGE),
    Group("q, newest first", "/jobs/", 50, WORDS, NEWEST_FIRST),
    Group(
        "One filter",
        "/jobs/",
        20,
        (
            *map(kind, FILTERS),
            Kind("skill, any of 5", any_skill(5)),
            Kind(
                "salary_min, include_unpaid",
                lambda chance, count: {**fields("salary_min")(chance, count), "include_unpaid": "true"},
            ),
        ),
        PAGE,
    ),
    Group(
        "Two and three filters",
        "/jobs/",
        20,
        (
            kind("title", "location"),
            kind("title", "salary_min"),
            kind("skill", "remote_type"),
            kind("company", "posted_after"),
            kind("location", "source_platform"),
            Kind("skill, skill", two_skills),
            kind("title", "skill", "location"),
            kind("title", "remote_type", "salary_min"),
            kind("skill", "location", "posted_after"),
            kind("source_platform", "remote_type", "currency"),
            Kind("title and location, unrelated", of_two("title", "location")),
            Kind("title and skill, unrelated", of_two("title", "skill")),
        ),
        PAGE,
    ),
    Group(
        "Facets of a search",
        "/jobs/facets",
        300,
        (
            kind("skill"),
            kind("location"),
            kind("title", "location"),
            kind("skill", "remote_type", "salary_min"),
            Kind("q: 2 words as people type them", typed(2)),
            Kind("q: 1 common word", drawn(COMMON)),
        ),
    ),
)
ALL = Group(
    "Facets of all postings",
    "/jobs/facets",
    1_000,
    (Kind("nothing asked for", lambda chance, _: {"top": chance.randint(1, 200)}),),
)
"""Asked last: while they are counted anew, nobody else should be measured."""

SAVED = (
    kind("title"),
    kind("title", "location"),
    kind("skill", "remote_type"),
    kind("title", "skill", "salary_min"),
    Kind("skill, skill", two_skills),
    Kind("q: 2 words as people type them", typed(2)),
    Kind("q: 3 words of one description", of_a_text(3)),
)
COUNT_MS = 50
SEEN = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""How long before the newest posting somebody has looked at a saved search."""
