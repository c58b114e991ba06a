"""Postings and queries at random, of few words and values, so that they meet."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bson import ObjectId

from backend.app.db.schema import JOBS
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery
from backend.app.models.job_filters import JobFilters
from backend.app.models.jobs import JobIn
from backend.app.models.words import words

WORDS = (
    *(
        "go",
        "Go",
        "GO",
        "gopher",
        "ergo",
        "engineer",
        "Engineers",
        "machine",
        "Learning",
        "learnings",
        "the",
        "a",
        "data-driven",
    ),
    *("C", "C++", "c#", ".NET", "ASP.net", "node.js", "R&D", "O'Reilly", "company's", "Companies", "remote"),
    *(
        "São",
        "sao",
        "Sa\u0303o",
        "Straße",
        "STRASSE",
        "Łódź",
        "ﬁnance",
        "ＧＯ",
        "東京",
        "京東",
        "검색",
        "नौकरी",
        "है।",
    ),
    *("🚀", "$where", "(a+)+$", '{"$gt":""}', "\\", "%", "\x00", "_", "--", "|", "'", "’s", "1", "１", "½"),
)
SIGNS = (" ", " ", " ", ", ", "/", "-", ".", "\n", "\u00a0", " | ", "")
NAMES = ("go", "GO", "C++", "c", "Machine Learning", "machine learnings", "🚀", "São Paulo", "$ne", " ", "")
PLACES = ("remote", "Remote", "hybrid", "Remote (US)", "", "híbrido")
PLATFORMS = ("LinkedIn", "linkedin", "Indeed", "東京")
AMOUNTS = (0, 0.5, 1, 50_000, 50_000.5, 2**53, 1e300)
CURRENCIES = ("USD", "EUR")
EPOCH, START = datetime(1970, 1, 1), datetime(2026, 5, 1)  # noqa: DTZ001 - as MongoDB holds it
MOMENTS = (
    datetime(1, 1, 1),  # noqa: DTZ001
    datetime(1969, 12, 31, 23, 59, 59, 999_000),  # noqa: DTZ001
    EPOCH,
    START,
    datetime(2026, 5, 1, 0, 0, 0, 1000),  # noqa: DTZ001
    datetime(9999, 12, 31, 23, 59, 59, 999_000),  # noqa: DTZ001
)


def posting(chance: Random) -> Document:
    """As the app stores it."""
    created = START + timedelta(hours=chance.randint(0, 30), milliseconds=chance.choice([0, 1, 999]))
    which = id_at(created - timedelta(seconds=chance.choice([0, 1, 60])), chance)
    body = {
        "external_id": str(which),
        "title": text(chance, 1, 3),
        "company": text(chance, 1, 2),
        "location": chance.choice([*PLACES, text(chance, 0, 2)]),
        "description": text(chance, 0, 6),
        "skills_required": chance.choices((*NAMES, *WORDS), k=chance.randint(0, 4)),
        "remote_type": chance.choice([None, *PLACES]),
        "source_platform": chance.choice([None, *PLATFORMS]),
        "salary_range": salary(chance),
        "posted_date": chance.choice(MOMENTS),
        "is_active": chance.choice([True, True, False]),
    }
    fields = JobIn.model_validate(body).stored()
    return JOBS.complete({"_id": which, **fields, "created_at": created, "revision": 1})


def id_at(moment: datetime, chance: Random) -> ObjectId:
    seconds = int((moment - EPOCH).total_seconds())
    return ObjectId(f"{seconds:08x}{chance.getrandbits(64):016x}")


def text(chance: Random, least: int, most: int) -> str:
    parts = chance.choices(chance.choice([WORDS, WORDS[:8]]), k=chance.randint(least, most))
    return "".join(part + chance.choice(SIGNS) for part in parts)


def salary(chance: Random) -> Document | None:
    low, high = sorted(chance.choices(AMOUNTS, k=2))
    found: Document = {"min": low, "max": high, "currency": chance.choice(CURRENCIES)}
    for name in ("min", "max", "currency"):
        if chance.random() < 1 / 3:
            del found[name]
    return found or None


def query(chance: Random) -> JobQuery:
    """Of one to three parameters, often with words, and any activity."""
    possible = parameters(chance)
    chosen = chance.sample(sorted(possible), k=chance.choice([1, 1, 2, 3]))
    asked = {name: possible[name] for name in (*chosen, *chance.choice([(), (), ("q",)]))}
    if {"salary_min", "salary_max", "currency"} & set(asked):
        asked["include_unpaid"] = chance.choice([True, False])
    if asked.get("salary_min", 0) > asked.get("salary_max", 1e300):
        del asked["salary_min"]
    found = JobFilters.model_validate(asked).query(chance.choice([True, True, False, None]))
    since = START + timedelta(hours=chance.randint(0, 30))
    return found.came_after(since) if chance.random() < 1 / 8 else found


def parameters(chance: Random) -> dict[str, Any]:
    def some(values: Sequence[str]) -> list[str]:
        return [value for value in chance.choices(values, k=chance.randint(1, 2)) if value.strip()]

    return {
        "q": with_words(" ".join(term(chance) for _ in range(chance.choice([1, 1, 2, 3])))),
        "title": with_words(text(chance, 1, 1)),
        "company": chance.choice(["o'reilly", "company", "GO", "sao", "東京"]),
        "location": chance.choice(["remote", "us remote", "hybrid", "sao"]),
        "skill": some((*NAMES, *WORDS)),
        "skills": chance.choice(["all", "any", "any"]),
        "remote_type": some(PLACES),
        "source_platform": some(PLATFORMS),
        "salary_min": chance.choice(AMOUNTS),
        "salary_max": chance.choice(AMOUNTS),
        "currency": chance.choice((*CURRENCIES, "eur", "XXX")),
        "posted_after": chance.choice(MOMENTS),
        "posted_before": chance.choice(MOMENTS),
    }


def with_words(text: str) -> str:
    return text if words(text) else "-c"


def term(chance: Random) -> str:
    """A word or a phrase to occur, or not to."""
    minus, quote = chance.choice(["", "", "", "-", "--"]), chance.choice(["", "", '"'])
    # Of those that are often side by side, some phrases are there.
    several = chance.choices(WORDS if not quote else WORDS[:8], k=chance.choice([1, 1, 2, 2]))
    return f"{minus}{quote}{' '.join(several)}{quote}"
