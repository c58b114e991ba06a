"""Facets: what a search finds, counted by each filter as if that filter were not asked for."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.facets import FACETS, Counting, facets
from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.schema import JOBS
from backend.app.db.standing import Standing
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery
from backend.app.models.job_filters import JobFilters
from backend.app.models.searchable import searchable
from backend.app.models.tallies import RANGES, WEEKS, pay, weeks
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.test_indexes import values_of

NAMED = ("remote_type", "skill", "company", "location", "source_platform", "currency")
RARE = "Kubernetes"
NEWEST = datetime(2026, 3, 30)  # noqa: DTZ001


def postings() -> list[Json]:
    """Thirty, the same each time, of few values in several spellings."""
    random = Random(4)

    def posting(number: int) -> Json:
        day = f"2026-{random.randint(1, 3):02}-{random.randint(1, 28):02}T12:00:00Z"
        optional = {
            "remote_type": random.choice(["remote", "Remote", "hybrid", "on-site", None]),
            "source_platform": random.choice(["LinkedIn", "linkedin", "Indeed", None]),
            "salary_range": random.choice(
                [
                    None,
                    {"min": random.randint(40, 90) * 1000, "max": 120_000},
                    {"max": 70_000, "currency": "EUR"},
                ]
            ),
        }
        return samples.job(
            title=random.choice(["Data Engineer", "Data Engineers", "Nurse"]),
            company=random.choice(["Initech", "INITECH", "Hooli Ltd.", "Acme"]),
            location=random.choice(["Berlin", "São Paulo", "Sao Paulo", "San Francisco, CA"]),
            skills_required=random.sample(["Python", "python", "SQL", "C++", "Go"], random.randint(0, 3)),
            posted_date=day,
            is_active=number % 6 != 0,
            **{name: value for name, value in optional.items() if value is not None},
        )

    return [posting(number) for number in range(30)]


QUERIES: list[Json] = [
    {},
    {"q": "data"},
    {"skill": "python"},
    {"skill": ["python", "sql"], "skills": "any", "remote_type": "remote"},
    {"location": "sao paulo", "salary_min": 60_000},
    {"source_platform": ["linkedin", "indeed"], "company": "initech", "is_active": "any"},
    {"currency": "usd", "posted_after": "2026-02-01", "title": "engineer"},
    {"q": "engineer -nurse", "include_unpaid": "true", "salary_max": 80_000, "remote_type": "hybrid"},
    {"is_active": "false"},
]
each_query = pytest.mark.parametrize("query", QUERIES, ids=str)


@pytest.fixture
async def stored(client: Client) -> list[Json]:
    made = postings()
    assert (await client.bulk("/jobs/", made)).status_code == 200
    return made


async def counted(client: Client, **query: Any) -> Json:
    response = await client.get("/jobs/facets", params=query)
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def found(client: Client, query: Json, **others: Any) -> list[Json]:
    asked = {name: value for name, value in {**query, **others}.items() if value is not None}
    postings: list[Json] = (await client.get("/jobs/", params={**asked, "limit": 1000})).json()
    return postings


def values(facet: Json) -> dict[str, int]:
    return {one["value"]: one["postings"] for one in facet["values"]}


@each_query
async def test_the_total_is_what_the_list_finds(client: Client, stored: list[Json], query: Json) -> None:
    answer = await counted(client, **query)

    assert (answer["total"], answer["total_is"]) == (len(await found(client, query)), "exact")
    assert all(facet["is_exact"] for facet in answer["facets"].values())


@each_query
async def test_each_value_finds_as_many_as_are_counted(
    client: Client, stored: list[Json], query: Json
) -> None:
    answer = await counted(client, **query)

    for name in NAMED:
        facet = answer["facets"][name]
        # Those that name no salary are kept, whatever currency is asked for.
        kept = facet["unnamed"] if name == "currency" and "include_unpaid" in query else 0
        # A facet leaves its own filter out: to choose a value is to replace what was chosen.
        for value, postings in values(facet).items():
            assert len(await found(client, query, **{name: value})) == postings + kept, (name, value)


@each_query
async def test_who_names_none_is_counted_too(client: Client, stored: list[Json], query: Json) -> None:
    answer = await counted(client, **query)

    for name in ("remote_type", "source_platform", "company", "location", "currency"):
        facet = answer["facets"][name]
        assert sum(values(facet).values()) + facet["unnamed"] == facet["counted"]
    without = {**query, "skill": None, "skills": None}
    assert answer["facets"]["skill"]["unnamed"] == sum(
        not posting["skills_required"] for posting in await found(client, without)
    )


@each_query
async def test_pay_and_weeks_add_up(client: Client, stored: list[Json], query: Json) -> None:
    answer = (await counted(client, **query))["facets"]

    salary = answer["salary"]
    paid = sum(one["postings"] for one in salary["ranges"])
    assert paid + salary["otherwise_paid"] + salary["unpaid"] == salary["counted"]
    unbound = {**query, "salary_min": None, "salary_max": None, "include_unpaid": None}
    ranges = [posting["salary_range"] for posting in await found(client, unbound)]
    assert paid == sum(bool(one) and one["currency"] == salary["currency"] for one in ranges)
    dates = [
        datetime.fromisoformat(posting["posted_date"]).date()
        for posting in await found(client, {**query, "posted_after": None})
    ]
    mondays = Counter(str(date.fromordinal(date.toordinal() - date.weekday())) for date in dates)
    assert {one["week"]: one["postings"] for one in answer["posted"]["weeks"]} == mondays
    assert answer["posted"]["earlier"] == 0


async def test_a_value_has_its_most_frequent_spelling(client: Client) -> None:
    for remote, skills in (("remote", ["Golang"]), ("Remote", ["golang"]), ("Remote", ["golang"])):
        await client.job(remote_type=remote, skills_required=skills)

    answer = (await counted(client))["facets"]

    assert values(answer["remote_type"]) == {"Remote": 3}
    assert values(answer["skill"]) == {"golang": 3}


async def test_a_skill_counts_once_for_a_posting_however_often_it_names_it(client: Client) -> None:
    await client.job(skills_required=["C++", "c++", "C++"])

    assert values((await counted(client))["facets"]["skill"]) == {"C++": 1}


async def test_values_come_most_postings_first_and_then_by_name(client: Client) -> None:
    for skills in (["b", "a"], ["c", "b"], ["d", "a"], ["a"]):
        await client.job(skills_required=skills)

    for top, expected in ((200, ["a", "b", "c", "d"]), (3, ["a", "b", "c"]), (1, ["a"])):
        facet = (await counted(client, top=top))["facets"]["skill"]
        assert [one["value"] for one in facet["values"]] == expected


async def test_what_no_filter_would_take_is_not_listed(client: Client) -> None:
    await client.job(
        company="!!!", location="", remote_type=" ", source_platform="x" * 300, skills_required=["", "  "]
    )

    answer = (await counted(client))["facets"]

    for name in NAMED:
        assert (answer[name]["values"], answer[name]["unnamed"]) == ([], 1)


async def test_a_search_that_finds_nothing_is_told_what_each_filter_costs(client: Client) -> None:
    await client.job(title="Nurse", skills_required=["SQL"], salary_range={"max": 50_000})
    await client.job(title="Nurse", skills_required=["SQL", "Go"], salary_range={"max": 70_000})
    await client.job(title="Engineer", skills_required=["Go"], salary_range={"max": 90_000})

    answer = await counted(client, q="nurse", skill="go", salary_min=80_000)

    assert answer["total"] == 0
    assert {one["filter"]: (one["total"], one["total_is"]) for one in answer["without"]} == {
        "q": (1, "exact"),
        "skill": (0, "exact"),
        "salary": (1, "exact"),
    }
    assert (await counted(client, q="nurse"))["without"] == []


async def test_an_empty_database_has_nothing_to_count(client: Client) -> None:
    answer = await counted(client)

    assert (answer["total"], answer["total_is"], answer["without"]) == (0, "exact", [])
    assert answer["facets"]["salary"]["currency"] is None


async def test_the_same_counts_have_the_same_entity_tag(client: Client, stored: list[Json]) -> None:
    for query in ({}, {"q": "data"}):
        first = await client.get("/jobs/facets", params=query)
        held = {"If-None-Match": first.headers["ETag"]}
        assert (await client.get("/jobs/facets/", params=query, headers=held)).status_code == 304


@pytest.mark.parametrize(
    "query", ["limit=5", "cursor=x", "sort=title", "top=0", "top=201", "remote=x", "salary_min=-1", "q=%21"]
)
async def test_what_is_no_filter_is_refused(client: Client, query: str) -> None:
    assert (await client.get(f"/jobs/facets?{query}")).status_code == 422


async def many(mongo: Mongo, count: int) -> None:
    """The newest ask for one skill, the oldest for a rare one."""
    stored = []
    for number in range(count):
        posting = {
            **samples.job(skills_required=["Go"] if number < count - 5 else [RARE]),
            "_id": ObjectId(),
            "posted_date": NEWEST - timedelta(days=number // 10),
            "description": ["Odd", "Even"][number % 2],
            "is_active": True,
            "revision": 1,
        }
        stored.append({**posting, "search": searchable(posting)})
    await mongo["jobs"].insert_many(stored)


def asked(**filters: Any) -> JobQuery:
    return JobFilters(**filters).query()


async def test_of_many_the_newest_are_counted_and_the_total_is_estimated(app: FastAPI, mongo: Mongo) -> None:
    jobs: Jobs = app.state.collections[JOBS]
    standing = Standing(mongo)
    await many(mongo, 60)

    # An index finds these.
    by_index = await facets(jobs, standing, asked(title="engineer"), 20, most=20)
    assert (by_index["total"], by_index["total_is"]) == (60, "exact")
    assert [by_index["facets"]["skill"][name] for name in ("is_exact", "counted")] == [False, 20]
    assert by_index["facets"]["skill"]["values"] == [{"value": "Go", "postings": 20}]
    # Of those that it finds, every other one matches.
    halved = await facets(jobs, standing, asked(title="engineer", q="engineer -odd"), 20, most=20)
    assert (halved["total"], halved["total_is"]) == (30, "estimate")
    assert halved["facets"]["remote_type"]["counted"] == 10
    # None of the newest matches: which is no reason to say that none does.
    rare = await facets(jobs, standing, asked(q=f"engineer -go {RARE}", location="berlin"), 20, most=20)
    assert (rare["total"], rare["total_is"], rare["without"]) == (5, "exact", [])


async def test_what_is_just_as_many_as_are_looked_through_is_exact(app: FastAPI, mongo: Mongo) -> None:
    await many(mongo, 20)

    for most, exact in ((19, False), (20, True), (21, True)):
        counting = await Counting(app.state.collections[JOBS], asked(title="engineer"), FACETS, most).run()
        assert (counting.is_exact, counting.counted) == (exact, min(most, 20))


async def test_without_filters_all_are_counted_now_and_then(
    app: FastAPI, client: Client, mongo: Mongo
) -> None:
    await many(mongo, 20)
    jobs: Jobs = app.state.collections[JOBS]
    standing = Standing(mongo, few=0)

    first = await facets(jobs, standing, asked(), 20, most=10)
    await standing.settled()
    await client.job()
    kept = await facets(jobs, standing, asked(), 20, most=10)

    # Until all have been counted, the newest are.
    assert first["total"] == kept["total"] == 20
    assert kept["facets"]["skill"]["is_exact"]
    assert kept["facets"]["skill"]["counted"] == 20
    assert kept["as_of"] is not None


EXPLAINED: list[Json] = [
    {},
    {"q": "data engineer -nurse"},
    {"q": '"data engineer"', "skill": ["python"]},
    {"skill": ["python", "sql"], "skills": "any"},
    {"remote_type": ["remote", "hybrid"], "source_platform": ["linkedin"]},
    {"salary_min": 50_000.0, "currency": "USD"},
    {"posted_after": "2026-01-01", "location": "berlin"},
    {"posted_before": "2026-01-01"},
]


@pytest.mark.parametrize("filters", EXPLAINED, ids=str)
@pytest.mark.parametrize("active", [True, None])
async def test_what_is_counted_is_read_off_an_index_in_order(
    app: FastAPI, mongo: Mongo, filters: Json, active: bool | None
) -> None:
    counting = Counting(app.state.collections[JOBS], JobFilters(**filters).query(active), FACETS)

    command = {"aggregate": "jobs", "pipeline": counting.pipeline, "cursor": {}, "hint": counting.hint}
    plan = await mongo.db.command("explain", command)
    read = plan["stages"][0]["$cursor"] if "stages" in plan else plan

    stages = set(values_of(read["queryPlanner"]["winningPlan"], "stage"))
    assert "IXSCAN" in stages
    assert not stages & {"COLLSCAN", "SORT"}
    # Nor is what follows sorted as a whole, but for the counts.
    assert not any("$sort" in stage for stage in plan.get("stages", []))


def of(*amounts: float, currency: str = "USD") -> Document:
    return pay(((currency, amount), 1) for amount in amounts)


@pytest.mark.parametrize(
    "amounts",
    [
        [0],
        [1],
        [1e9],
        [90_000],
        [50_000, 120_000],
        [15, 16, 17.5, 80],
        [0, 1e9],
        [*range(30_000, 90_000, 500), 1e9],
        [119_000, 119_900],
    ],
)
def test_ranges_are_round_and_next_to_each_other_and_hold_all(amounts: list[float]) -> None:
    ranges = of(*amounts)["ranges"]

    assert sum(one["postings"] for one in ranges) == len(amounts)
    assert len(ranges) <= RANGES + 2
    assert all(one["below"] == other["at_least"] for one, other in pairwise(ranges))
    for one in ranges:
        low, high = one["at_least"], one["below"] or float("inf")
        assert one["postings"] == sum(low <= amount < high for amount in amounts)
    widths = {one["below"] - one["at_least"] for one in ranges if one["below"]}
    assert len(widths) == 1
    assert str(widths.pop()).rstrip("0") in ("1", "2", "5")


def test_pay_is_shown_in_the_currency_of_most() -> None:
    groups = [(("EUR", 50_000), 2), (("USD", 50_000), 2), (("INR", 900_000), 3), (("", -1), 9)]

    shown = pay(groups)

    assert (shown["currency"], shown["otherwise_paid"], shown["unpaid"]) == ("INR", 4, 9)
    assert pay(groups[:2])["currency"] == "EUR"


async def test_any_amount_can_be_counted(client: Client) -> None:
    for amount in (0, 0.4, 1, 12.345, 1_234_567, 1e300):
        await client.job(salary_range={"max": amount})

    ranges = (await counted(client, q="builds"))["facets"]["salary"]["ranges"]

    assert sum(one["postings"] for one in ranges) == 6


def test_no_more_than_a_year_of_weeks_is_told() -> None:
    mondays = [NEWEST - timedelta(weeks=59 - number) for number in range(60)]

    shown = weeks((monday, 2) for monday in reversed(mondays))

    assert len(shown["weeks"]) == WEEKS
    assert shown["weeks"][-1]["week"] == "2026-03-30"
    assert shown["earlier"] == 16


async def test_odd_dates_are_weeks_too(client: Client) -> None:
    for date in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"):
        await client.job(posted_date=date)

    shown = (await counted(client, q="builds"))["facets"]["posted"]["weeks"]

    assert [one["week"] for one in shown] == ["0001-01-01", "1969-12-29", "9999-12-27"]
