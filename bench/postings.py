"""The data set: postings made from their number alone, so that every run reads the same ones."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId

from backend.app.db.schema import JOBS

NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
OLDER_THAN_ALL = datetime(2000, 1, 1, tzinfo=UTC)
VECTOR = 16
# Shares no factor with a power of ten, so that no two numbers meet.
SCATTER = 618_033_988_749

_TITLES = ("Data Engineer", "Backend Developer", "ML Engineer", "Product Analyst", "Site Reliability")
_PLACES = ("Berlin", "New York", "Lisbon", "Toronto", "Remote", "São Paulo", "Kraków", "Singapore")
_SKILLS = ("Python", "MongoDB", "Kubernetes", "SQL", "Spark", "PyTorch", "FastAPI", "Airflow", "Go")
_PHRASES = (
    "you will build and run the services that our teams depend on",
    "together with people who care about clear code, careful reviews and short feedback",
    "we offer flexible hours, a budget for learning and modern tools",
    "real ownership of data pipelines and of models in production",
    "you have three years of experience, or work to show that says as much",
    "we read every application ourselves and answer within a week",
)


def posting_id(number: int) -> ObjectId:
    """The id of the posting with this number: a valid ObjectId that grows with it."""
    return ObjectId(f"{0x69000000 + number:08x}{number:016x}")


def external_id(number: int) -> str:
    """Scattered, as the ids of crawled postings are: what is new belongs between all that is stored."""
    return f"bench-{number * SCATTER % 10**12:012d}"


def posting(number: int) -> dict[str, Any]:
    """What a client would send: about 1.4 kB of JSON, its time an aware datetime."""
    chance = random.Random(number)
    skills = chance.sample(_SKILLS, 4)
    low = chance.randrange(40, 160) * 1000
    title = chance.choice(_TITLES)
    return {
        "external_id": external_id(number),
        "title": title,
        "company": f"Company {number % 997}",
        "description": ". ".join(chance.choices(_PHRASES, k=10)),
        "location": chance.choice(_PLACES),
        "remote_type": chance.choice(("remote", "hybrid", "onsite")),
        "skills_required": skills,
        "posted_date": NEWEST - timedelta(seconds=37 * number),
        "source_url": f"https://jobs.example.com/postings/{number}",
        "source_platform": "bench",
        "salary_range": {"min": low, "max": low + 30_000, "currency": "USD"},
        "ml_features": {
            "processed_text": f"{title} {' '.join(skills)}".lower(),
            "keyword_vector": [round(chance.random(), 6) for _ in range(VECTOR)],
        },
        "is_active": True,
    }


def stored(number: int) -> dict[str, Any]:
    """The same posting as this app keeps it."""
    fields = posting(number)
    kept = {"_id": posting_id(number), **fields, "created_at": fields["posted_date"], "revision": 1}
    return JOBS.complete(kept)


def batches(count: int, *, after: int = 0, size: int = 2_000) -> Iterator[list[dict[str, Any]]]:
    """The whole set, or what comes after the first so many, in the sizes an insert_many takes well."""
    for start in range(after, count, size):
        yield [stored(number) for number in range(start, min(start + size, count))]
