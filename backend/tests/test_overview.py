"""The overview counts what there is: in weeks that begin on Monday, and active postings where it says so."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.db.overview import applications, counted
from backend.app.models.base import now
from backend.tests.client import Client

# A Wednesday.
PRESENT = datetime.fromisoformat("2026-11-18T12:30:00")
MONDAY = datetime.fromisoformat("2026-11-16")
INSTANT = timedelta(milliseconds=1)


async def overview(client: Client) -> dict[str, Any]:
    answer = await client.get("/stats/overview")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_an_empty_service_has_an_overview_of_noughts(client: Client) -> None:
    found = await overview(client)

    counts = ("users", "postings", "active_postings", "new_postings", "matches")
    assert [found[name] for name in counts] == [0] * 5
    assert found["postings_by_source"] == found["top_companies"] == found["top_skills"] == []
    assert [week["postings"] for week in found["postings_by_week"]] == [0] * 12
    assert [week["applications"] for week in found["applications_by_week"]] == [0] * 12


async def test_what_is_there_is_counted_at_once(client: Client) -> None:
    user, job = await client.user(), await client.job()
    await client.job(is_active=False)
    await client.match(user_id=user["id"], job_id=job["id"])
    await client.interaction(user_id=user["id"], job_id=job["id"], interaction_type="applied")
    await client.interaction(user_id=user["id"], job_id=job["id"], interaction_type="saved")

    found = await overview(client)

    assert (found["users"], found["matches"]) == (1, 1)
    assert (found["postings"], found["active_postings"], found["new_postings"]) == (2, 1, 1)
    assert sum(week["applications"] for week in found["applications_by_week"]) == 1
    assert found["as_of"] >= job["created_at"]


async def test_the_weeks_are_twelve_mondays_in_a_row(client: Client) -> None:
    found = await overview(client)

    mondays = [datetime.fromisoformat(week["week"]) for week in found["postings_by_week"]]
    assert {monday.weekday() for monday in mondays} == {0}
    assert {later - earlier for earlier, later in pairwise(mondays)} == {timedelta(weeks=1)}
    assert timedelta() <= datetime.fromisoformat(found["as_of"][:19]) - mondays[-1] < timedelta(weeks=1)
    assert [week["week"] for week in found["applications_by_week"]] == [
        week["week"] for week in found["postings_by_week"]
    ]


@pytest.mark.parametrize(
    ("moment", "week"),
    [
        (MONDAY, "2026-11-16"),
        (MONDAY - INSTANT, "2026-11-09"),
        (MONDAY + timedelta(weeks=1) - INSTANT, "2026-11-16"),
        (MONDAY + timedelta(weeks=1), None),
        (MONDAY - timedelta(weeks=11), "2026-08-31"),
        (MONDAY - timedelta(weeks=11) - INSTANT, None),
    ],
)
async def test_a_week_begins_with_its_monday_in_utc(
    client: Client, mongo: Mongo, moment: datetime, week: str | None
) -> None:
    await client.job(posted_date=f"{moment.isoformat()}Z", source_platform="LinkedIn")
    await mongo["user_job_interactions"].insert_one({"interaction_type": "applied", "timestamp": moment})

    found = await counted(mongo, PRESENT)

    postings = [one["week"] for one in found["postings_by_week"] if one["postings"]]
    applications = [one["week"] for one in found["applications_by_week"] if one["applications"]]
    of_source = [one["week"] for one in found["postings_by_week"] if one["by_source"][0]["postings"]]
    assert postings == applications == of_source == ([week] if week else [])


async def test_the_weeks_count_postings_that_are_active_no_more(client: Client) -> None:
    for is_active in (True, False):
        await client.job(is_active=is_active, source_platform="LinkedIn")

    found = await overview(client)

    linkedin = {"source_platform": "LinkedIn", "postings": 2}
    assert (found["postings_by_week"][-1]["postings"], found["postings_by_week"][-1]["by_source"]) == (
        2,
        [linkedin],
    )
    assert found["postings_by_source"] == [{"source_platform": "LinkedIn", "postings": 1}]


@pytest.mark.parametrize(("age", "new"), [(timedelta(days=7), 1), (timedelta(days=7) + INSTANT, 0)])
async def test_a_posting_is_new_for_seven_days_after_it_came_in(
    client: Client, mongo: Mongo, age: timedelta, new: int
) -> None:
    job = await client.job(posted_date="2026-01-01T00:00:00Z")
    await mongo["jobs"].update_one({"_id": ObjectId(job["id"])}, {"$set": {"created_at": PRESENT - age}})

    assert (await counted(mongo, PRESENT))["new_postings"] == new


async def test_companies_are_ranked_by_their_active_postings_and_then_by_name(client: Client) -> None:
    for company in ("Initech", "Hooli", "Hooli", "Acme"):
        await client.job(company=company)
    await client.bulk("/jobs/", [sample(number, company="Umbrella", is_active=False) for number in range(3)])

    ranked = (await overview(client))["top_companies"]

    assert ranked == [
        {"name": "Hooli", "postings": 2},
        {"name": "Acme", "postings": 1},
        {"name": "Initech", "postings": 1},
    ]


async def test_a_skill_counts_once_for_a_posting(client: Client) -> None:
    await client.job(skills_required=["Python", "Python", "SQL"])
    await client.job(skills_required=["SQL"])
    await client.job(skills_required=["Rust"], is_active=False)

    ranked = (await overview(client))["top_skills"]

    assert ranked == [{"name": "SQL", "postings": 2}, {"name": "Python", "postings": 1}]


async def test_ten_are_ranked_and_five_sources_named_however_many_there_are(client: Client) -> None:
    jobs = [
        sample(
            number, company=f"c{number:02}", skills_required=[f"s{number:02}"], source_platform=f"p{number}"
        )
        for number in range(12)
    ]
    await client.bulk("/jobs/", [*jobs, sample(99, source_platform=None), sample(98, source_platform="")])

    found = await overview(client)

    assert [one["name"] for one in found["top_skills"]] == [f"s{number:02}" for number in range(10)]
    assert len(found["top_companies"]) == 10
    assert [one["source_platform"] for one in found["postings_by_source"]] == ["p0", "p1", "p10", "p11", "p2"]
    last = found["postings_by_week"][-1]
    assert (last["postings"], sum(one["postings"] for one in last["by_source"])) == (14, 5)


async def test_names_that_look_like_operators_are_names(client: Client) -> None:
    await client.job(company="$where", skills_required=["$title", "a.b"], source_platform="$company")

    found = await overview(client)

    assert found["top_companies"] == [{"name": "$where", "postings": 1}]
    assert [skill["name"] for skill in found["top_skills"]] == ["$title", "a.b"]
    assert found["postings_by_source"] == [{"source_platform": "$company", "postings": 1}]


async def test_applications_are_counted_off_their_index(mongo: Mongo) -> None:
    command = {"aggregate": "user_job_interactions", "pipeline": applications(now()), "cursor": {}}
    plan = str(await mongo.db.command("explain", command))

    assert "interaction_type_1_timestamp_1" in plan
    assert "COLLSCAN" not in plan
    assert "FETCH" not in plan


def sample(number: int, **changes: Any) -> dict[str, Any]:
    body = {"external_id": f"many-{number}", "title": "T", "company": "zz", "description": "", "location": ""}
    return body | changes
