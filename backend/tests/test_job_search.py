"""What a search finds, written down by hand: parameters, and the postings of the board that answer them."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from bson import DatetimeMS, ObjectId
from fastapi import FastAPI

from backend.app.db.frequencies import Frequencies
from backend.app.db.paging import written
from backend.app.models.job_filters import JobFilters
from backend.tests.board import POSTINGS, pinned
from backend.tests.client import Client, Json

Asked = dict[str, Any]
Row = tuple[Asked, str]

ACTIVE = set(POSTINGS) - {"closed", "gone"}
UNPAID = {"paris", "lodz", "seoul", "yerevan", "silent", "vague", "rocket", "bomb", "early", "late"}

# In any order, unless one is asked for.
TEXT: list[Row] = [
    ({"q": "engineer"}, "cpp csharp aspnet go ml bomb"),
    ({"q": "Engineers"}, "cpp csharp aspnet go ml bomb"),
    ({"q": "ENGINEER"}, "cpp csharp aspnet go ml bomb"),
    ({"q": "engin"}, ""),
    ({"q": "go engineer"}, "go"),
    ({"q": "engineer, go!"}, "go"),
    ({"q": "go"}, "go beijing"),
    ({"q": "c++"}, "cpp aspnet yerevan"),
    ({"q": "C++ engineer"}, "cpp aspnet"),
    ({"q": "c"}, "c"),
    ({"q": "c#"}, "csharp"),
    ({"q": ".net"}, "csharp aspnet"),
    ({"q": "asp.net"}, "aspnet"),
    ({"q": "net"}, ""),
    ({"q": "r"}, "r rocket"),
    ({"q": "R&D"}, "rocket"),
    ({"q": "node.js"}, "node"),
    ({"q": "react/node"}, "node"),
    ({"q": "machine learning"}, "ml machinist"),
    ({"q": '"machine learning"'}, "ml machinist"),
    ({"q": '"machine learning engineer"'}, "ml"),
    ({"q": '"run a machine learning"'}, "machinist"),
    ({"q": '"learning machine"'}, ""),
    ({"q": '"on the job python is"'}, "machinist"),
    # One field ends and the next begins: no phrase.
    ({"q": '"engineer openai"'}, ""),
    ({"q": '"kubernetes build"'}, ""),
    # Whole words only, at either end.
    ({"q": 'machinist -"me of the machine" -"name of the mach"'}, "machinist"),
    ({"q": 'machinist -"name of the machine"'}, ""),
    ({"q": "machine -python"}, ""),
    ({"q": "machine -sql"}, "machinist"),
    ({"q": 'python -"machine learning engineer"'}, "machinist paulo paris"),
    ({"q": "analyst -acme -umbrella"}, ""),
    ({"q": "analyst -excel"}, "r"),
    ({"q": "python -python"}, ""),
    (
        {"q": "-engineer -analyst -developer -python -sql -java -pinakes"},
        "c beijing seoul yerevan nurse helper rocket",
    ),
    (
        {"q": "--engineer -analyst"},
        " ".join(ACTIVE - {"cpp", "csharp", "aspnet", "go", "ml", "bomb", "r", "silent", "vague"}),
    ),
    ({"q": 'trading "low-latency'}, "cpp"),
    ({"q": '"-machine" learning'}, "ml machinist"),
    ({"q": "low-latency"}, "cpp"),
    ({"q": "full-time -part-time"}, ""),
    ({"q": "full-time -over-time"}, "nurse"),
    ({"q": "“low latency”"}, "cpp"),
    ({"q": "san francisco"}, "go r ml"),
    ({"q": '"san francisco"'}, "go ml"),
    ({"q": "sao paulo"}, "paulo"),
    ({"q": "SÃO PAULO"}, "paulo"),
    ({"q": "Sa\u0303o Paulo"}, "paulo"),
    ({"q": "construcao"}, "paulo"),
    ({"q": "senior"}, "cpp paulo"),
    ({"q": "strassenverkehr"}, "bern"),
    ({"q": "STRAßENVERKEHR"}, "bern"),
    ({"q": "zurich"}, "bern"),
    ({"q": "donnees temps reel"}, "paris"),
    ({"q": "l'oreal"}, "paris"),
    ({"q": "zabka lodz"}, "lodz"),
    ({"q": "łódź"}, "lodz"),
    ({"q": "エンジニア"}, "tokyo"),
    ({"q": "ｴﾝｼﾞﾆｱ"}, "tokyo"),
    ({"q": "検索"}, "tokyo"),
    ({"q": "索検"}, ""),
    ({"q": "软件工程师 go"}, "beijing"),
    ({"q": "软件 -工程师"}, ""),
    ({"q": "검색"}, "seoul"),
    ({"q": "इंजीनियर"}, "pune"),
    ({"q": "है"}, "pune"),
    ({"q": "ИНЖЕНЕР"}, "yerevan"),
    ({"q": "еще"}, "yerevan"),
    ({"q": "child"}, ""),
    ({"q": "children"}, "nurse"),
    ({"q": "st mary"}, "nurse"),
    ({"q": "company"}, "aspnet node"),
    ({"q": "cache size"}, "node"),
    ({"q": "movie box"}, "node"),
    ({"q": "gpu"}, "ml"),
    ({"q": "rest api"}, "ml"),
    ({"q": "moontm"}, "rocket"),
    ({"q": "🚀 rocket"}, "rocket"),
    ({"q": "ＲＯＣＫＥＴ"}, "rocket"),
    ({"q": "$where"}, "bomb"),
    ({"q": "(a+)+$"}, "aspnet machinist bomb early"),
]
FIELDS: list[Row] = [
    ({"title": "engineer"}, "cpp aspnet go ml bomb"),
    ({"title": "senior engineer"}, "cpp"),
    ({"title": "engineer senior"}, "cpp"),
    ({"title": "ingenieure"}, "paris"),
    ({"title": "python"}, "paulo"),
    ({"company": "initech"}, "cpp c"),
    ({"company": "acme"}, "machinist silent vague"),
    ({"company": "hooli"}, "go"),
    ({"company": "itau"}, "paulo"),
    ({"company": "engineer"}, ""),
    ({"location": "san francisco"}, "go ml"),
    ({"location": "San Francisco, CA"}, "go ml"),
    ({"location": "ca"}, "go r ml"),
    ({"location": "germany"}, "cpp c"),
    ({"location": "munchen"}, "c"),
    ({"location": "zürich"}, "bern"),
    ({"location": "東京"}, "tokyo"),
    ({"location": "remote"}, "go lodz yerevan helper rocket node"),
    ({"location": "remote us"}, "node"),
    ({"location": "anywhere"}, "silent vague"),
    ({"skill": "python"}, "ml paulo paris"),
    ({"skill": "Machine learning"}, "ml"),
    ({"skill": "machine"}, ""),
    ({"skill": "C"}, "c"),
    ({"skill": "c++"}, "cpp yerevan"),
    ({"skill": "C#"}, "csharp"),
    ({"skill": ".net"}, "csharp"),
    ({"skill": "SQL"}, "aspnet ml paris lodz silent"),
    ({"skill": ["sql", "python"]}, "ml paris"),
    ({"skill": ["sql", "python"], "skills": "all"}, "ml paris"),
    ({"skill": ["sql", "python"], "skills": "any"}, "aspnet ml paulo paris lodz silent"),
    ({"skill": ["sql", "SQL"]}, "aspnet ml paris lodz silent"),
    ({"skill": "🚀"}, "rocket"),
    ({"skill": "$ne"}, "bomb"),
    ({"remote_type": "remote"}, "go lodz yerevan helper node"),
    ({"remote_type": "HYBRID"}, "csharp aspnet ml bern"),
    ({"remote_type": ["hybrid", "hibrido"]}, "csharp aspnet ml paulo bern"),
    ({"remote_type": "teletravail"}, "paris"),
    ({"source_platform": "linkedin"}, "cpp go ml node"),
    ({"source_platform": "Indeed"}, "c csharp aspnet"),
    ({"source_platform": ["NHS", "Gupy"]}, "paulo nurse"),
    ({"source_platform": "link"}, ""),
]
SALARIES: list[Row] = [
    ({"salary_min": 150000, "currency": "USD"}, "go ml node"),
    ({"salary_min": 200000, "currency": "USD"}, "go ml node"),
    ({"salary_min": 200001, "currency": "USD"}, "node"),
    ({"salary_min": 60000, "currency": "EUR"}, "cpp c"),
    ({"salary_min": 60001, "currency": "eur"}, "cpp"),
    ({"salary_max": 79999, "currency": "EUR"}, "c"),
    ({"salary_max": 54999, "currency": "GBP"}, "aspnet nurse"),
    ({"salary_min": 55000, "salary_max": 55000, "currency": "GBP"}, "csharp aspnet"),
    ({"salary_min": 90000, "salary_max": 140000, "currency": "USD"}, "r ml"),
    ({"salary_min": 60000.75, "salary_max": 60000.75}, "aspnet machinist"),
    ({"salary_max": 0}, "helper"),
    ({"salary_max": "-0"}, "helper"),
    ({"salary_min": "1e300"}, "node"),
    ({"salary_min": "1e308"}, ""),
    ({"currency": "EUR"}, "cpp c"),
    ({"currency": "JPY"}, "tokyo"),
    ({"currency": "XXX"}, ""),
    ({"currency": "CHF", "include_unpaid": "true"}, " ".join({"bern"} | UNPAID)),
    ({"salary_min": 1e301, "include_unpaid": "true"}, " ".join(UNPAID)),
    ({"salary_max": 0, "include_unpaid": "true"}, " ".join({"helper"} | UNPAID)),
    ({"include_unpaid": "true"}, " ".join(ACTIVE)),
]
TIMES: list[Row] = [
    ({"posted_after": "2026-05-29"}, "cpp c late"),
    ({"posted_after": "2026-05-29T12:00:00Z"}, "cpp c late"),
    ({"posted_after": "2026-05-29T12:00:00.001Z"}, "cpp late"),
    # A plus that was not encoded.
    ({"posted_after": "2026-05-29T14:00:00 02:00"}, "cpp c late"),
    ({"posted_before": "2026-05-10"}, "node bomb early"),
    ({"posted_before": "2026-05-10T14:00:00.001+02:00"}, "rocket node bomb early"),
    ({"posted_after": "2026-05-26", "posted_before": "2026-05-28"}, "aspnet go"),
    ({"posted_after": "2026-05-28", "posted_before": "2026-05-26"}, ""),
    ({"posted_before": "1970-01-01"}, "early"),
    ({"posted_before": "0001-01-01"}, ""),
    ({"posted_after": "9999-12-31T23:59:59.999Z"}, "late"),
]
TOGETHER: list[Row] = [
    ({}, " ".join(ACTIVE)),
    ({"is_active": "false"}, "closed gone"),
    ({"is_active": "any"}, " ".join(POSTINGS)),
    ({"q": "go", "is_active": "any"}, "go beijing closed"),
    ({"q": "go", "is_active": "false"}, "closed"),
    ({"q": "-hooli", "is_active": "false"}, ""),
    ({"skill": "go", "is_active": "any"}, "go beijing closed"),
    (
        {"skill": ["go", "sql"], "skills": "any", "is_active": "any"},
        "go beijing closed aspnet ml paris lodz silent",
    ),
    ({"q": "engineer", "remote_type": "hybrid"}, "csharp aspnet ml"),
    ({"q": "engineer", "location": "san francisco"}, "go ml"),
    ({"title": "engineer", "skill": "python"}, "ml"),
    ({"q": "python", "title": "python"}, "paulo"),
    ({"q": "engineer", "company": "globex", "location": "uk"}, "aspnet"),
    ({"skill": "sql", "salary_min": 60000}, "aspnet ml"),
    ({"skill": "sql", "salary_min": 60000, "include_unpaid": "true"}, "aspnet ml paris lodz silent"),
    ({"skill": "python", "currency": "BRL", "salary_max": 9000}, "paulo"),
    ({"remote_type": "remote", "source_platform": "LinkedIn", "salary_min": 150000}, "go node"),
    ({"source_platform": ["linkedin", "indeed"], "posted_after": "2026-05-27"}, "cpp c csharp aspnet"),
    ({"q": '"san francisco" -python', "posted_before": "2026-06-01", "is_active": "any"}, "go closed"),
    # What a form sends for fields that are left empty.
    (
        {"q": "", "title": " ", "skill": ["", "c++"], "salary_min": "", "currency": "", "skills": ""},
        "cpp yerevan",
    ),
]
ROWS = [*TEXT, *FIELDS, *SALARIES, *TIMES, *TOGETHER]


@pytest.fixture(scope="module")
async def board(app: FastAPI) -> AsyncIterator[Client]:
    async with pinned(app) as client:
        yield client


@pytest.fixture
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists by salary or title are made in one way of few postings, and in another of many."""
    monkeypatch.setattr(Frequencies, "is_few", lambda *_: request.param)


either_way = pytest.mark.parametrize("few", [True, False], ids=["of few", "of many"], indirect=True)


async def names(client: Client, asked: Asked, path: str = "/jobs/") -> list[str]:
    response = await client.get(path, params={"limit": 1000, **asked})
    assert response.status_code == 200, response.text
    return [job["external_id"] for job in response.json()]


async def paged(client: Client, asked: Asked) -> list[str]:
    """The same, two at a time."""
    url: str | None = f"/jobs/?{urlencode({**asked, 'limit': 2}, doseq=True)}"
    found = []
    while url is not None:
        response = await client.get(url)
        assert response.status_code == 200, response.text
        found += [job["external_id"] for job in response.json()]
        url = response.links["next"]["url"] if "next" in response.links else None
    return found


@pytest.mark.parametrize(("asked", "expected"), ROWS, ids=[urlencode(asked, doseq=True) for asked, _ in ROWS])
async def test_a_search_finds_just_these(board: Client, asked: Asked, expected: str) -> None:
    found = await board.get("/jobs/", params={**asked, "limit": 1000, "count": "true"})

    assert found.status_code == 200, found.text
    assert sorted(job["external_id"] for job in found.json()) == sorted(expected.split())
    assert found.headers["x-total-count"] == str(len(found.json()))


def test_the_table_has_a_row_for_each_filter_and_many_for_words() -> None:
    assert len(ROWS) >= 150
    assert len(TEXT) >= 60


ORDERED: list[Row] = [
    ({"q": "python"}, "paulo ml paris machinist"),
    ({"q": "python", "sort": "-score"}, "paulo ml paris machinist"),
    ({"q": "python", "sort": "-posted_date"}, "ml machinist paulo paris"),
    ({"q": "python", "sort": "posted_date"}, "paris paulo machinist ml"),
    ({"q": "machine learning"}, "ml machinist"),
    ({"q": "engineer c++"}, "cpp aspnet"),
    ({"skill": "sql"}, "aspnet ml paris lodz silent"),
    ({"skill": "sql", "sort": "posted_date"}, "silent lodz paris ml aspnet"),
    ({"skill": "sql", "sort": "-salary"}, "ml aspnet silent lodz paris"),
    ({"skill": "sql", "sort": "title"}, "silent aspnet paris ml lodz"),
    ({"company": "acme", "sort": "title"}, "silent vague machinist"),
    ({"currency": "USD", "sort": "-salary"}, "node ml go r machinist helper"),
    ({"q": "-remote", "is_active": "any", "location": "leeds", "sort": "title"}, "gone nurse"),
    ({"company": "pinakes"}, "late early"),
    ({"company": "pinakes", "sort": "posted_date"}, "early late"),
    ({"location": "leeds", "is_active": "any"}, "nurse gone"),
]


@either_way
@pytest.mark.parametrize(
    ("asked", "expected"), ORDERED, ids=[urlencode(asked, doseq=True) for asked, _ in ORDERED]
)
async def test_a_list_is_in_this_order(board: Client, few: None, asked: Asked, expected: str) -> None:
    # Equal salaries and titles are as old as their ids, which are as old as their place on the board.
    assert await names(board, asked) == expected.split()
    assert await paged(board, asked) == expected.split()


SORTS = ("-posted_date", "posted_date", "-salary", "title")
FILTERS: tuple[Asked, ...] = (
    {"q": "engineer"},
    {"q": "a"},
    {"q": "the -learning", "is_active": "any"},
    {"q": "python", "skill": ["python", "sql"], "skills": "any"},
    {"q": "go", "is_active": "any", "remote_type": ["remote", "hybrid"]},
    {"q": "engineer", "salary_min": 1, "include_unpaid": "true", "is_active": "any"},
    {},
    {"is_active": "any"},
    {"skill": ["sql", "python", "go"], "skills": "any", "is_active": "any"},
    {"salary_min": 1000, "location": "ca"},
    {"q": "-engineer", "posted_after": "2026-05-09"},
)


@either_way
@pytest.mark.parametrize("asked", FILTERS, ids=[urlencode(asked, doseq=True) for asked in FILTERS])
async def test_two_at_a_time_a_list_is_the_same(board: Client, few: None, asked: Asked) -> None:
    has_words = asked.get("q", "-") not in {"-", "-engineer"}

    for sort in (*SORTS, *(["-score"] if has_words else [])):
        whole = await names(board, {**asked, "sort": sort})
        assert len(set(whole)) == len(whole) > 0
        assert await paged(board, {**asked, "sort": sort}) == whole


@pytest.mark.parametrize(
    "asked", [{"q": "python -java", "sort": "title"}, {"skill": ["c", "c++"], "skills": "any"}]
)
async def test_both_forms_of_the_path_find_the_same(board: Client, asked: Asked) -> None:
    with_slash, without = await names(board, asked), await names(board, asked, "/jobs")

    assert with_slash == without != []


async def test_the_score_says_where_the_words_stand(board: Client) -> None:
    found = (await board.get("/jobs/", params={"q": "machine learning sql"})).json()
    plain = (await board.get("/jobs/", params={"q": "machine learning", "sort": "title"})).json()

    assert {job["external_id"]: job["score"] for job in found} == {"ml": 0.8889}
    assert plain and not any("score" in job for job in plain)


@pytest.mark.parametrize("asked", [{}, {"q": "-python"}, {"title": "python"}])
async def test_to_sort_by_score_takes_words(board: Client, asked: Asked) -> None:
    refused = await board.get("/jobs/", params={**asked, "sort": "-score"})

    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]] == [
        ("/query/sort", "no_score")
    ]


async def test_only_the_fields_that_are_asked_for_are_there(board: Client) -> None:
    lean = (await board.get("/jobs/?fields=title,company&q=kubernetes&sort=title")).json()
    scored = (await board.get("/jobs/?fields=title&fields=salary_range&q=kubernetes")).json()
    whole = (await board.get("/jobs/?q=kubernetes&sort=-salary")).json()

    assert [list(job) for job in lean] == [["id", "title", "company"]]
    assert [sorted(job) for job in scored] == [["id", "salary_range", "score", "title"]]
    assert scored[0]["salary_range"] == whole[0]["salary_range"]
    assert {"description", "skills_required", "created_at"} < set(whole[0])


async def cursor_of(client: Client, asked: Asked) -> str:
    page = await client.get("/jobs/", params={**asked, "limit": 1})
    return str(httpx.URL(page.links["next"]["url"]).params["cursor"])


async def test_a_cursor_goes_on_with_its_own_search_only(board: Client) -> None:
    asked: tuple[Asked, ...] = (
        *({"q": "engineer", "sort": sort} for sort in (*SORTS, "-score")),
        *({"q": "engineers -rust", "sort": sort} for sort in (*SORTS, "-score")),
        *({"q": "engineer", "is_active": "any", "sort": sort} for sort in (*SORTS, "-score")),
        {"title": "engineer"},
        {"company": "engineer", "is_active": "any"},
    )
    cursors = {number: await cursor_of(board, one) for number, one in enumerate(asked[:-1])}

    for number, one in enumerate(asked):
        for other, cursor in cursors.items():
            answer = await board.get("/jobs/", params={**one, "cursor": cursor})
            assert answer.status_code == (200 if number == other else 400), (one, asked[other])


async def test_a_cursor_goes_on_with_other_fields_limits_and_spellings(board: Client) -> None:
    cursor = await cursor_of(board, {"q": "engineer"})

    rest = await names(board, {"q": "engineer", "cursor": cursor})
    same = await board.get("/jobs/", params={"q": " ENGINEERS ", "cursor": cursor, "fields": "external_id"})

    assert [job["external_id"] for job in same.json()] == rest != []


PLACE = [datetime(2026, 5, 20), ObjectId()]  # noqa: DTZ001 - as MongoDB holds it
RANKED = {"s": 0.5, "l": PLACE, "n": PLACE, "o": PLACE}
FORGED: dict[str, Json] = {
    "nothing": {},
    "no newest": {**RANKED, "n": None},
    "a number as the oldest": {**RANKED, "o": 0},
    "no text as the oldest": {**RANKED, "o": ""},
    "an empty oldest": {**RANKED, "o": []},
    "an operator as the newest": {**RANKED, "n": {"$gt": ""}},
    "operators in the last": {**RANKED, "l": [{"$gt": ""}, {"$ne": None}]},
    "three in the last": {**RANKED, "l": [*PLACE, 1]},
    "text as the score": {**RANKED, "s": "1"},
    "a whole number as the score": {**RANKED, "s": 1},
    "a number as the place": {"v": 5, "i": ObjectId()},
    "an operator as the place": {"v": {"$gt": ""}, "i": ObjectId()},
    "a time that Python has not": {"v": DatetimeMS(2**62), "i": ObjectId()},
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_made_up_place_among_the_ranked_is_refused(board: Client, forged: str) -> None:
    query = JobFilters.model_validate({"q": "engineer"}).query()
    cursor = written(FORGED[forged], f"ranking {query!r}")

    answer = await board.get("/jobs/", params={"q": "engineer", "cursor": cursor})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_cursor"


async def test_a_made_up_place_that_could_be_one_does_no_harm(board: Client) -> None:
    query = JobFilters.model_validate({"q": "engineer"}).query()

    for score in (float("nan"), float("inf"), 2.0, -1.0):
        cursor = written({**RANKED, "s": score}, f"ranking {query!r}")
        answer = await board.get("/jobs/", params={"q": "engineer", "cursor": cursor})
        assert answer.status_code == 200
