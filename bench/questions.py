"""The questions, each asked of all peers alike, and what the answers have to reach.

A new row is one `Question` here, and a `Target` if there is something to reach: table, chart and
checks follow from them.
"""

import random
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime
from itertools import count, cycle, repeat
from typing import Any

import orjson

from backend.app.db.schema import JOBS
from bench import bulk
from bench.postings import OLDER_THAN_ALL, posting, posting_id
from bench.question import Ask, Database, Facts, Floor, Question, Target, get, post

LIMIT = 50
DEEP_PAGE = 1_000
CREATED = "created-"
"""What the external ids of postings created one by one start with."""


# One posting by id


def some_numbers(facts: Facts) -> list[int]:
    """Random postings: others in each round, the same for all peers in one."""
    return random.Random(facts.round).choices(range(facts.postings), k=5_000)


def by_id(facts: Facts) -> Iterator[bytes]:
    return cycle([get(f"/jobs/{posting_id(number)}") for number in some_numbers(facts)])


def is_the_posting(answer: Any, facts: Facts) -> bool:
    return is_posting(answer, some_numbers(facts)[0])


def by_id_straight(database: Database, facts: Facts) -> Ask:
    jobs = database.jobs
    ids = cycle([posting_id(number) for number in some_numbers(facts)])
    return lambda: jobs.find_one({"_id": next(ids)})


# Pages, the newest first


def first_page(_: Facts) -> Iterator[bytes]:
    return repeat(get(f"/jobs/?limit={LIMIT}"))


def is_first_page(answer: Any, _: Facts) -> bool:
    return is_page(answer, 0)


def first_page_straight(database: Database, _: Facts) -> Ask:
    jobs = database.jobs
    return lambda: jobs.find().sort("posted_date", -1).limit(LIMIT).to_list(LIMIT)


def deep_page(facts: Facts) -> Iterator[bytes]:
    return repeat(get(facts.deep_page))


def is_deep_page(answer: Any, _: Facts) -> bool:
    return is_page(answer, LIMIT * (DEEP_PAGE - 1))


# One created


def new_posting() -> dict[str, Any]:
    """Like any other, but at the far end of the list: who reads the newest is not disturbed."""
    return {**posting(0), "posted_date": OLDER_THAN_ALL}


def create(_: Facts) -> Iterator[bytes]:
    mark = CREATED + "0" * 12
    body = orjson.dumps({**new_posting(), "external_id": mark}, option=orjson.OPT_UTC_Z)
    before, after = post("/jobs/", body).split(mark.encode())
    for number in count():
        yield b"%b%b%012d%b" % (before, CREATED.encode(), number, after)


def create_straight(database: Database, _: Facts) -> Ask:
    jobs = database.jobs
    numbers = count()
    fields = JOBS.complete({**new_posting(), "revision": 1})

    def ask() -> Awaitable[object]:
        external_id = f"{CREATED}{next(numbers):012d}"
        return jobs.insert_one({**fields, "external_id": external_id, "created_at": datetime.now(UTC)})

    return ask


def is_created(answer: Any, _: Facts) -> bool:
    return bool(answer.get("id") or answer.get("_id"))


# What an answer looks like: bare here, in an envelope at Eve


def is_page(answer: Any, first: int) -> bool:
    items = answer["_items"] if isinstance(answer, dict) else answer
    return len(items) == LIMIT and all(is_posting(item, first + at) for at, item in enumerate(items))


def is_posting(answer: Any, number: int) -> bool:
    sent = posting(number)
    whole = ("external_id", "title", "description", "salary_range", "ml_features")
    return all(answer[name] == sent[name] for name in whole)


QUESTIONS = (
    Question("by-id", "one posting by id", by_id, is_the_posting, by_id_straight),
    Question("page", f"a page of {LIMIT}", first_page, is_first_page, first_page_straight),
    Question("deep-page", f"the {DEEP_PAGE:,}th page of {LIMIT}", deep_page, is_deep_page, peers=("app",)),
    Question("create", "one created", create, is_created, create_straight),
    *bulk.QUESTIONS,
)
BY_KEY = {question.key: question for question in QUESTIONS}

TARGETS = (
    Target("by-id", 1.0, peer="minimal"),
    Target("by-id", 2.5, peer="eve"),
    Target("page", 1.2, peer="minimal"),
    Target("page", 9.0, peer="eve"),
    # No more than one and a half times the cost of page 1.
    Target("deep-page", 1 / 1.5, other="page"),
    Target("bulk-new", 1.3, peer="motor"),
    Target("bulk-new", 5.0, peer="eve"),
    Target("bulk-unchanged", 1.5, peer="motor"),
    Target("bulk-unchanged", 1.5, peer="motor", other="bulk-new"),
    Floor("bulk-matches", 10_000),
)
