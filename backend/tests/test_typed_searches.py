"""Searches as people type them, and as their browsers send that: right answers, or 422."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from backend.tests.board import pinned
from backend.tests.client import Client
from backend.tests.raw import raw
from backend.tests.refusals import refusal


@pytest.fixture(scope="module")
async def board(app: FastAPI) -> AsyncIterator[Client]:
    async with pinned(app) as client:
        yield client


ENGINEERS = "aspnet bomb cpp csharp go ml"
# As they stand in the address; %-signs that are meant are written as such.
TYPED = {
    "q=C%2B%2B": "aspnet cpp yerevan",
    # To an address, a plus is a space.
    "q=C++": "c",
    "q=c%23": "csharp",
    "q=.NET": "aspnet csharp",
    "q=.net+developer": "csharp",
    "q=Node.JS": "node",
    "q=nodejs": "",
    "q=R%26D": "rocket",
    "q=S%C3%A3o%20Paulo": "paulo",
    "q=s%C3%83O+pAuLo": "paulo",
    "q=Sao+Paulo": "paulo",
    "q=Sa%CC%83o+Paulo": "paulo",
    # Latin-1, which is not UTF-8: nobody can tell what it was.
    "q=S%E3o+Paulo": "",
    "q=python+S%C3%AAnior,+Brasil!": "paulo",
    "q=%E6%9D%B1%E4%BA%AC": "tokyo",
    "q=%D0%B8%D0%BD%D0%B6%D0%B5%D0%BD%D0%B5%D1%80": "yerevan",
    "q=rocket+%F0%9F%9A%80": "rocket",
    "q=engineer?": ENGINEERS,
    "q=engineer%3B": ENGINEERS,
    "q=(senior)+engineer+[C%2B%2B]": "cpp",
    "q=%22go+engineer%22": "go",
    "q=%E2%80%9Cgo+engineer%E2%80%9D": "go",
    "q=%22go+engineer": "go",
    "q=%22go+engineer%22%22": "go",
    "q=go+engineer+-%22san+francisco%22": "",
    "q=engi%C2%ADneer": ENGINEERS,
    "q=%E2%80%AEengineer": ENGINEERS,
    "q=engineer%00": ENGINEERS,
    "q=%ED%A0%80engineer": ENGINEERS,
    "q=%25engineer%25": ENGINEERS,
    "q=engineer*": ENGINEERS,
    "q=engin*": "",
    "q=.*": None,
    "q=(a%2B)%2B%24": "aspnet bomb early machinist",
    "q=(.*)*(.*)*(.*)*x": "",
    "q=%5E((%5Ba-z%5D)%2B.)%2B%5BA-Z%5D(%5Ba-z%5D)%2B%24": "",
    "q=%5B%5B%5B%5B%5C": None,
    "q=%24where": "bomb",
    "q=%7B%22%24gt%22%3A%22%22%7D": "bomb",
    "q=';+DROP+TABLE+jobs;+--": "",
    "q=%3Cscript%3E": "bomb",
    "q=-": None,
    "q=--": None,
    "q=%22": None,
    "q=-%22": None,
    "q=%22%22%22": None,
    "q=%F0%9F%9A%80": None,
    "q=%00": None,
    "q=%FF%FE": None,
    f"q={'a' * 500}": "",
    f"q={'a' * 501}": None,
    f"q={'engineer+' * 20}": ENGINEERS,
    f"q={'engineer+' * 21}": None,
    f"q={'%22a%22-' * 60}": None,
    f"q={quote('engineer ' * 600)}": None,
    f"q={quote('(a+)+' * 1000)}": None,
    f"q={quote('工程师' * 7)}": None,
    "q[$ne]=go": None,
    "q=go&q=engineer": None,
    "q=go&Q=engineer": None,
    "location=san+francisco,+ca": "go ml",
    "location=%F0%9F%8C%8D": None,
    "company=L%E2%80%99Or%C3%A9al": "paris",
    "title=%24where": "",
    "title=a&title=b": None,
    "skill=c%2B%2B&skill=linux": "cpp",
    "skill=c++": "c",
    "skill=%00": "",
    "skill=%FF": "",
    f"skill={'a' * 200}": "",
    f"skill={'a' * 201}": None,
    "&".join(["skills=any", *(f"skill=s{number}" for number in range(49)), "skill=go"]): "beijing go",
    "&".join(f"skill=s{number}" for number in range(51)): None,
    "skills=some": None,
    "salary_min=150000&currency=usd": "go ml node",
    "salary_min=150k": None,
    "salary_min=150,000": None,
    "salary_min=-1": None,
    "salary_min=nan": None,
    "salary_min=inf": None,
    "salary_max=1e999": None,
    "salary_min=2&salary_max=1": None,
    "salary_min=%E0%A5%A7": None,
    "currency=%E2%82%AC": None,
    "currency=%EF%BC%A5%EF%BC%B5%EF%BC%B2": None,
    "currency=dollars": None,
    "include_unpaid=perhaps": None,
    "posted_after=yesterday": None,
    "posted_after=2026-02-30": None,
    "posted_after=0000-01-01": None,
    "posted_after=10000-01-01": None,
    "posted_before=0001-01-01T00:00:00%2B14:00": None,
    "posted_after=1780000000": None,
    "sort=-score": None,
    "sort=-score&q=-go": None,
    "sort=salary": None,
    "fields=search": None,
    "fields=search.words": None,
    "fields=$where": None,
    "fields=_id": None,
    "cursor=x&q=go": None,
}


@pytest.mark.parametrize("typed", TYPED, ids=[typed[:60] for typed in TYPED])
async def test_what_people_type_finds_what_they_mean_or_is_refused(
    board: Client, app: FastAPI, typed: str
) -> None:
    answer = await raw(app, "GET", f"/jobs/?{typed}")
    expected = TYPED[typed]

    assert answer is not None
    if expected is None:
        assert not refusal(answer, 400 if typed.startswith("cursor") else 422)
    else:
        assert answer.status_code == 200, answer.text
        assert sorted(job["external_id"] for job in answer.json()) == expected.split()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("qq=go", "did you mean q?"),
        ("salary_mim=1", "did you mean salary_min?"),
        ("skils=go", "did you mean skills?"),
        ("remote=true", "did you mean remote_type?"),
        ("posted_since=2026-01-01", "There is no such parameter"),
        ("fields=titel", "did you mean title?"),
    ],
)
async def test_a_name_that_is_not_there_is_told_with_the_nearest(
    board: Client, typed: str, meant: str
) -> None:
    answer = await board.get(f"/jobs/?{typed}")

    assert answer.status_code == 422
    assert meant in answer.json()["errors"][0]["detail"]


async def test_of_a_parameter_sent_twice_none_is_ignored(board: Client) -> None:
    answer = await board.get("/jobs/?location=berlin&location=london&limit=1&limit=2&skill=a&skill=b")

    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
        ("/query/location", "repeated_parameter"),
        ("/query/limit", "repeated_parameter"),
    ]
