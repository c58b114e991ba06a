"""Every search is read off an index in its order: what MongoDB says it did with each command it was sent."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from bson.codec_options import CodecOptions, DatetimeConversion
from fastapi import FastAPI
from pymongo.asynchronous.database import AsyncDatabase

from backend.app.db.frequencies import Frequencies
from backend.app.db.mongo import Mongo
from backend.app.db.ranking import Ranking
from backend.app.db.schema import JOBS
from backend.app.models.base import Document
from backend.app.models.searchable import TAGS, WORDS
from backend.tests.board import pinned
from backend.tests.client import Client
from backend.tests.test_indexes import values_of

BY_DATE = "is_active_1_posted_date_-1__id_-1"
BY_SALARY = "is_active_1_search.high_-1__id_-1"
BY_TITLE = "is_active_1_search.title_1__id_1"
BY_WORD = f"is_active_1_{WORDS}_1_posted_date_-1__id_-1"
BY_TAG = f"is_active_1_{TAGS}_1_posted_date_-1__id_-1"
BY_ID = "_id_"
ORDERS = {"-posted_date": BY_DATE, "posted_date": BY_DATE, "-salary": BY_SALARY, "title": BY_TITLE}

# What is asked for, and what leads to it.
SEARCHES = {
    "": None,
    "q=engineer": BY_WORD,
    "q=go+engineer": BY_WORD,
    "q=machine+learning+sql+python": BY_WORD,
    "q=%22machine+learning%22": BY_WORD,
    "q=engineer+-go": BY_WORD,
    "q=engineer+-%22machine+learning%22": BY_WORD,
    "q=%E6%9D%B1%E4%BA%AC": BY_WORD,
    "q=-engineer": None,
    "q=-%22machine+learning%22": None,
    "title=engineer": BY_TAG,
    "title=machine+learning": BY_TAG,
    "company=hooli": BY_TAG,
    "location=san+francisco": BY_TAG,
    "location=remote": BY_TAG,
    "skill=sql": BY_TAG,
    "skill=sql&skill=python": BY_TAG,
    "skill=sql&skill=python&skills=any": BY_TAG,
    "remote_type=remote": BY_TAG,
    "remote_type=remote&remote_type=hybrid": BY_TAG,
    "source_platform=LinkedIn": BY_TAG,
    "source_platform=LinkedIn&source_platform=Indeed": BY_TAG,
    "currency=USD": BY_TAG,
    "currency=USD&include_unpaid=true": BY_TAG,
    "salary_min=50000": BY_TAG,
    "salary_max=100000": BY_TAG,
    "salary_min=50000&salary_max=100000&include_unpaid=true": BY_TAG,
    "salary_min=50000&currency=USD": BY_TAG,
    "posted_after=2026-05-10": None,
    "posted_before=2026-05-25": None,
    "posted_after=2026-05-10&posted_before=2026-05-25": None,
    "posted_after=2026-05-10&skill=sql": BY_TAG,
    "q=engineer&posted_before=2026-05-28": BY_WORD,
    "q=engineer&salary_min=50000": BY_WORD,
    "remote_type=hybrid&salary_min=50000&currency=USD": BY_TAG,
    "&".join(["skills=any", "skill=sql", *(f"skill=s{number}" for number in range(49))]): BY_TAG,
}
each_search = pytest.mark.parametrize("search", SEARCHES, ids=[search[:70] or "all" for search in SEARCHES])
each_activity = pytest.mark.parametrize("active", ["true", "any"])


@pytest.fixture(scope="module")
async def board(app: FastAPI) -> AsyncIterator[Client]:
    async with pinned(app) as client:
        yield client


class Seen:
    """What MongoDB was asked about postings, and how it went about it."""

    def __init__(self) -> None:
        self.examined: list[int] = []
        self.plans: list[Document] = []

    @property
    def stages(self) -> set[str]:
        return set(values_of(self.plans, "stage"))

    @property
    def indexes(self) -> set[str]:
        return set(values_of(self.plans, "indexName"))

    async def look(self, mongo: Mongo) -> None:
        about_postings = {"ns": f"{mongo.db.name}.{JOBS.name}", "op": {"$in": ["query", "command"]}}
        # Where a plan has no end, it names times that Python cannot.
        options: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_CLAMP)
        database = mongo.db.with_options(options)
        async for entry in database["system.profile"].find(about_postings):
            self.examined.append(entry["keysExamined"])
            self.plans.append(entry.get("execStats") or await explained(database, entry["command"]))


async def explained(database: AsyncDatabase[Document], command: Document) -> Document:
    """Of aggregations the profile tells no more than the index."""
    command = {name: command[name] for name in ("aggregate", "pipeline", "hint", "cursor")}
    plan: Document = await database.command("explain", command, codec_options=database.codec_options)
    return plan


@asynccontextmanager
async def watched(mongo: Mongo) -> AsyncIterator[Seen]:
    seen = Seen()
    await mongo.db.command("profile", 2)
    try:
        yield seen
    finally:
        await mongo.db.command("profile", 0)
        await seen.look(mongo)
        await mongo.db.drop_collection("system.profile")
    assert seen.plans


async def two_pages(client: Client, query: str) -> None:
    first = await client.get(f"/jobs/?limit=2&{query}")
    assert first.status_code == 200, first.text
    if "next" in first.links:
        assert (await client.get(first.links["next"]["url"])).status_code == 200


@each_search
@each_activity
async def test_a_list_by_date_is_read_off_one_index_in_order(
    board: Client, app: FastAPI, search: str, active: str
) -> None:
    async with watched(app.state.mongo) as seen:
        for order in ("-posted_date", "posted_date"):
            await two_pages(board, f"sort={order}&is_active={active}&{search}&count=true")

    assert not seen.stages & {"COLLSCAN", "SORT"}
    assert seen.indexes == {SEARCHES[search] or BY_DATE}


@each_search
@each_activity
async def test_a_list_by_salary_or_title_is_read_off_its_order_if_much_is_found(
    board: Client, app: FastAPI, monkeypatch: pytest.MonkeyPatch, search: str, active: str
) -> None:
    monkeypatch.setattr(Frequencies, "is_few", lambda *_: False)
    async with watched(app.state.mongo) as seen:
        for order in ("-salary", "title"):
            await two_pages(board, f"sort={order}&is_active={active}&{search}")

    assert not seen.stages & {"COLLSCAN", "SORT"}
    assert seen.indexes == {BY_SALARY, BY_TITLE}


@each_search
async def test_a_list_by_salary_or_title_is_sorted_only_if_little_is_found(
    board: Client, app: FastAPI, monkeypatch: pytest.MonkeyPatch, search: str
) -> None:
    monkeypatch.setattr(Frequencies, "is_few", lambda *_: True)
    async with watched(app.state.mongo) as seen:
        for order in ("-salary", "title"):
            await two_pages(board, f"sort={order}&is_active=any&{search}")

    # Never all of it at once: only as many are held as the page has, and one.
    sorts = list(stages_named("SORT", seen.plans))
    assert {plan["limitAmount"] for plan in sorts} <= {3}
    assert bool(sorts) is (SEARCHES[search] is not None)
    assert "COLLSCAN" not in seen.stages
    assert seen.indexes <= {SEARCHES[search], BY_SALARY, BY_TITLE}


def stages_named(name: str, plan: object) -> Iterator[Document]:
    if isinstance(plan, dict):
        if plan.get("stage") == name:
            yield plan
        for part in plan.values():
            yield from stages_named(name, part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages_named(name, part)


def test_little_is_what_takes_less_work_to_sort_than_to_come_across() -> None:
    frequencies = Frequencies()
    frequencies.postings = 1_000_000

    assert frequencies.is_few(0.01, 100)
    assert not frequencies.is_few(0.011, 100)


@pytest.mark.parametrize("search", [search for search in SEARCHES if SEARCHES[search] == BY_WORD])
@each_activity
async def test_what_is_ranked_is_read_off_the_words_and_fetched_by_id(
    board: Client, app: FastAPI, search: str, active: str
) -> None:
    async with watched(app.state.mongo) as seen:
        await two_pages(board, f"sort=-score&is_active={active}&{search}&count=true")

    assert not seen.stages & {"COLLSCAN", "SORT"}
    assert seen.indexes <= {BY_WORD, BY_ID} and BY_WORD in seen.indexes


async def test_so_is_what_is_too_old_to_be_ranked(
    board: Client, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ranking.__init__, "__defaults__", (1, 3))
    async with watched(app.state.mongo) as seen:
        for active in ("true", "any"):
            await two_pages(board, f"q=engineer&is_active={active}")

    assert not seen.stages & {"COLLSCAN", "SORT"}
    assert seen.indexes <= {BY_WORD, BY_ID}


async def test_of_the_words_the_rarest_leads(
    board: Client, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.app.db.frequencies.WORTH_A_SAMPLE", 0)
    jobs = app.state.collections[JOBS]
    before = jobs.frequencies
    jobs.frequencies = Frequencies()
    await jobs.frequencies.sample(app.state.mongo)
    try:
        async with watched(app.state.mongo) as seen:
            found = await board.get("/jobs/?q=a+engineer+the+machine&sort=-posted_date&is_active=any")
    finally:
        jobs.frequencies = before

    assert found.status_code == 200
    assert max(seen.examined) <= 4
