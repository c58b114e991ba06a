"""One definition of a query, two who decide it: MongoDB by its filter, and Python posting by posting."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.app.db.filters import route
from backend.app.db.jobs import NEWEST, Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.paging import Page
from backend.app.db.ranking import SCORE, Ranking
from backend.app.db.schema import JOBS
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery
from backend.app.models.job_filters import JobFilters
from backend.app.models.scores import Score
from backend.app.models.searchable import SEARCH
from backend.tests.random_postings import posting
from backend.tests.random_postings import query as random_query

KEYS: dict[str, tuple[Callable[[Document], Any], bool]] = {
    NEWEST: (lambda one: (one["posted_date"], one["_id"]), True),
    "posted_date": (lambda one: (one["posted_date"], one["_id"]), False),
    "-salary": (lambda one: (one[SEARCH]["high"], one["_id"]), True),
    "title": (lambda one: (one[SEARCH]["title"], one["_id"]), False),
}
NO_LIMIT = 1000
FEW, MANY = 0, 10**12
# The board stays as it is from one example to the next.
quickly = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SCORED = (
    "go",
    "engineer",
    "machine learning",
    "learning",
    "sao",
    "paulo",
    "c++",
    '"machine learning"',
    "東京",
)
chances = st.randoms(use_true_random=False)


class Board:
    """Postings that stay, and some that are there for one example."""

    def __init__(self, mongo: Mongo) -> None:
        self.jobs = Jobs(mongo, JOBS)
        chance = Random(4)
        self.stay = [posting(chance) for _ in range(60)]
        self.new: list[Document] = []

    async def begin(self) -> None:
        await self.jobs.documents.insert_many(self.stay)
        await self.jobs.frequencies.sample(self.jobs.mongo)

    async def with_new(self, new: list[Document]) -> list[Document]:
        """All that there are."""
        if self.new:
            await self.jobs.documents.delete_many({"_id": {"$in": [one["_id"] for one in self.new]}})
        if new:
            await self.jobs.documents.insert_many(new)
        self.new = new
        return [*self.stay, *new]


@pytest.fixture
async def board(mongo: Mongo) -> Board:
    board = Board(mongo)
    await board.begin()
    return board


def ids(found: Iterable[Document]) -> list[ObjectId]:
    return [one["_id"] for one in found]


async def pages(fetch: Callable[[str | None], Any]) -> list[Document]:
    found: list[Document] = []
    cursor = None
    while True:
        page: Page = await fetch(cursor)
        found += page.documents
        cursor = page.next
        if cursor is None:
            return found


@settings(quickly, max_examples=500)
@given(chance=chances, order=st.sampled_from(sorted(KEYS)), limit=st.sampled_from([NO_LIMIT, NO_LIMIT, 7]))
async def test_mongodb_finds_what_the_query_says_of_each_posting(
    board: Board, chance: Random, order: str, limit: int
) -> None:
    query = random_query(chance)
    everything = await board.with_new([posting(chance) for _ in range(chance.randint(0, 2))])
    board.jobs.frequencies.postings = chance.choice([FEW, MANY])

    key, falls = KEYS[order]
    expected = sorted(filter(query.matches, everything), key=key, reverse=falls)
    found = await pages(lambda cursor: board.jobs.search(query, order, limit, cursor))

    assert ids(found) == ids(expected)
    assert await board.jobs.count_matching(query) == len(expected)
    assert await board.jobs.count_matching(query, 2) == min(2, len(expected))
    for one in everything[-5:]:
        bare = {name: value for name, value in one.items() if name != SEARCH}
        assert query.matches(bare) is (one["_id"] in ids(expected))


def test_half_of_the_random_queries_tell_postings_apart() -> None:
    chance = Random(5)
    board = [posting(chance) for _ in range(60)]

    found = [sum(map(random_query(chance).matches, board)) for _ in range(200)]

    assert sum(0 < some < 40 for some in found) > 100


@settings(quickly, max_examples=150)
@given(
    chance=chances,
    limit=st.sampled_from([1, 3, 7, NO_LIMIT]),
    most=st.sampled_from([1, 4, 7, 2000]),
    looked_through=st.sampled_from([1, 5, 9, 2000, 2000]),
)
async def test_the_newest_that_match_are_ranked_and_the_others_follow(
    board: Board, chance: Random, limit: int, most: int, looked_through: int
) -> None:
    asked = {"q": " ".join(chance.choices(SCORED, k=chance.randint(1, 3)))}
    query = JobFilters.model_validate(asked).query(chance.choice([True, None]))
    score = Score.of(query)
    points = {one["_id"]: score(one[SEARCH]["tags"]) for one in board.stay}

    async def fetch(cursor: str | None) -> Page:
        return await Ranking(board.jobs, query, most, looked_through).page(limit, cursor)

    found = await pages(fetch)

    newest = sorted(filter(query.matches, board.stay), key=KEYS[NEWEST][0], reverse=True)
    seen = set(ids(looked_at(board, query)[:looked_through]))
    several = [one for one in newest if one["_id"] in seen][:most]
    best = sorted(several, key=lambda one: (points[one["_id"]], *KEYS[NEWEST][0](one)), reverse=True)
    assert ids(found) == ids([*best, *newest[len(best) :]])
    assert [one[SCORE] for one in found] == [points[one["_id"]] for one in found]


def looked_at(board: Board, query: JobQuery) -> list[Document]:
    """What is looked through for what matches: all that have the rarest of the words, the newest first."""
    lead = route(query, board.jobs.frequencies).lead
    rarest = JobQuery({"q": (lead,)} if lead else {}, query.active)
    return sorted(filter(rarest.matches, board.stay), key=KEYS[NEWEST][0], reverse=True)
