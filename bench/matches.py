"""Users, the stats that belong to them and their matches: like the postings, made from their number alone."""

from collections.abc import Iterator
from typing import Any

from bson import ObjectId

from bench.postings import NEWEST, posting_id

USERS = 1_000
A_TIME = 100
"""How many matches a user gets when matching comes by."""


def user_id(number: int) -> ObjectId:
    return ObjectId(f"68{number:022x}")


def pair(number: int, postings: int) -> tuple[ObjectId, ObjectId]:
    """The user and the posting of the match with this number: one user after the other, of postings from
    anywhere, and none twice before a user has them all."""
    visit, place = divmod(number, USERS * A_TIME)
    user, nth = divmod(place, A_TIME)
    job = (place + (visit * A_TIME + nth) * 7_919) % postings
    return user_id(user), posting_id(job)


def match(number: int) -> dict[str, Any]:
    """What a client would send of it, but for its user and its posting."""
    return {
        "relevancy_score": number * 7 % 1_000 / 1_000,
        "matched_at": NEWEST,
        "match_reason": "Strong ML alignment",
        "match_details": {
            "skills_matched": ["Python", "MongoDB"],
            "skills_missing": ["Docker"],
            "overall_compatibility": 0.9,
        },
        "is_active": True,
    }


def stored_users() -> list[dict[str, Any]]:
    """As this app keeps them."""
    return [
        {
            "_id": user_id(number),
            "name": f"User {number}",
            "email": f"user-{number}@example.com",
            "preferences": {
                "desired_locations": ["Berlin", "Remote"],
                "target_roles": ["Data Engineer"],
                "skills": ["Python", "MongoDB", "SQL"],
                "experience_level": "mid",
                "salary_min": 60_000.0,
                "salary_max": 90_000.0,
            },
            "credentials": {"years_experience": number % 20},
            "created_at": NEWEST,
            "revision": 1,
        }
        for number in range(USERS)
    ]


def stored_stats() -> list[dict[str, Any]]:
    return [
        {
            "user_id": user_id(number),
            "jobs_viewed": 0,
            "jobs_saved": 0,
            "created_at": NEWEST,
            "revision": 1,
        }
        for number in range(USERS)
    ]


MATCHES = USERS * A_TIME


def match_batches(postings: int, size: int = 10_000) -> Iterator[list[dict[str, Any]]]:
    """The matches that are there from the start: those of the first visit."""
    for first in range(0, MATCHES, size):
        yield [stored_match(number, postings) for number in range(first, first + size)]


def stored_match(number: int, postings: int) -> dict[str, Any]:
    user, job = pair(number, postings)
    return {
        "_id": ObjectId(f"68{number:022x}"),
        "user_id": user,
        "job_id": job,
        **match(number),
        "user_snapshot": {"preferences_at_match": {}, "credentials_at_match": {}},
        "revision": 1,
    }
