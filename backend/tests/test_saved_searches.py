"""Saved searches that work: what they understand, what they find, and what of it is new."""

from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.saved_searches import Searches
from backend.app.db.schema import JOBS, SEARCHES
from backend.tests import samples
from backend.tests.client import Client

Json = dict[str, Any]

SCIENTIST = {
    "title": "Senior Data Scientist",
    "company": "Initech Labs",
    "description": "Finds out what is so.",
    "location": "Berlin, Germany",
    "remote_type": "remote",
    "skills_required": ["Python", "SQL"],
    "source_platform": "LinkedIn",
    "salary_range": {"min": 80000, "max": 100000, "currency": "EUR"},
    "posted_date": "2026-03-01T12:00:00Z",
}
NURSE = {
    "title": "Nurse",
    "company": "Charité",
    "description": "Cares.",
    "location": "London",
    "skills_required": ["Care"],
    "source_platform": "Indeed",
    "posted_date": "2026-02-01T12:00:00Z",
}


@pytest.fixture
async def postings(client: Client) -> list[str]:
    """The scientist, the nurse, and another scientist who is not looked for any more."""
    made = [
        await client.job(**SCIENTIST),
        await client.job(**NURSE),
        await client.job(**{**SCIENTIST, "is_active": False}),
    ]
    return [job["id"] for job in made]


@pytest.fixture(params=["counted", "kept"])
def ways(request: pytest.FixtureRequest, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """As over few postings, and as over a million."""
    if request.param == "kept":
        counts = app.state.collections[SEARCHES].counts
        monkeypatch.setattr(counts, "few", -1)
        monkeypatch.setattr(counts, "recent", -1)


async def found(client: Client, search: Json, **query: Any) -> list[str]:
    response = await client.get(f"/saved-searches/{search['id']}/jobs", params=query)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()]


async def counts(client: Client, search: Json) -> tuple[int, int]:
    read = (await client.get(f"/saved-searches/{search['id']}")).json()
    return read["total_matches"], read["new_matches"]


async def view(client: Client, search: Json) -> Json:
    response = await client.post(f"/saved-searches/{search['id']}/viewed")
    assert response.status_code == 200, response.text
    seen: Json = response.json()
    return seen


# What is asked, which of the three it finds, and what of it is ignored.
UNDERSTOOD: list[tuple[Json, str, list[str]]] = [
    ({}, "sn", []),
    ({"q": "scientist"}, "s", []),
    ({"q": "-scientist"}, "n", []),
    ({"title": "scientists"}, "s", []),
    ({"title": ["data scientist"]}, "s", []),
    ({"role": "data scientist"}, "s", []),
    ({"title": "nurse", "role": "scientist"}, "n", ["role"]),
    ({"company": "charite"}, "n", []),
    ({"location": "berlin"}, "s", []),
    ({"skill": "python"}, "s", []),
    ({"skill": ["Python", "Care"]}, "", []),
    ({"skill": ["Python", "Care"], "skills": "any"}, "sn", []),
    ({"skill": ["Python", "SQL"], "skills": "all"}, "s", []),
    ({"skills": ["Python", "SQL"]}, "s", []),
    ({"skills": "Care"}, "n", []),
    ({"skills": "any"}, "sn", []),
    ({"remote_type": "remote"}, "s", []),
    ({"remote_type": ["Remote", "hybrid"]}, "s", []),
    ({"source_platform": ["indeed"]}, "n", []),
    ({"salary_min": 90000}, "s", []),
    ({"salary_min": "90000"}, "s", []),
    ({"salary_min": 90000, "include_unpaid": True}, "sn", []),
    ({"salary_max": 70000}, "", []),
    ({"salary_min": 2, "salary_max": 1}, "sn", ["salary_max", "salary_min"]),
    ({"currency": "eur"}, "s", []),
    ({"posted_after": "2026-02-15"}, "s", []),
    ({"posted_before": "2026-02-15T00:00:00Z"}, "n", []),
    ({"is_active": False}, "i", []),
    ({"is_active": "any", "title": "scientist"}, "si", []),
    ({"is_active": "true"}, "sn", []),
    # As people write it.
    ({"location": "Remote"}, "s", []),
    ({"location": "100% remote"}, "s", []),
    ({"location": "Fully remote position"}, "s", []),
    ({"location": "work from home"}, "s", []),
    ({"location": "WFH"}, "s", []),
    ({"location": ["remote"]}, "s", []),
    ({"location": "Remote (Germany)"}, "s", []),
    ({"location": "Remote, London"}, "", []),
    ({"location": "London or remote"}, "sn", []),
    ({"location": "remote or london"}, "sn", []),
    ({"location": "Remote or Paris or London"}, "sn", []),
    ({"location": "Remote, Berlin or London"}, "sn", []),
    ({"location": "London, UK or remote"}, "s", []),
    # What a form sends for what is left empty.
    ({"title": "", "company": None, "skill": [], "salary_min": None}, "sn", []),
    # What says nothing about which postings.
    ({"titel": "nurse", "title": "scientist"}, "s", ["titel"]),
    ({"title": "nurse", "salary_min": "a lot"}, "n", ["salary_min"]),
    ({"title": "nurse", "salary_min": True, "salary_max": -1}, "n", ["salary_max", "salary_min"]),
    ({"title": 5, "q": {"ne": 1}, "company": ["a", "b"]}, "sn", ["company", "q", "title"]),
    ({"title": "🚀", "q": "!?"}, "sn", ["q", "title"]),
    ({"title": "a " * 300, "skill": ["x"] * 51}, "sn", ["skill", "title"]),
    ({"skill": [1], "skills": {"a": 1}, "remote_type": 3}, "sn", ["remote_type", "skill", "skills"]),
    ({"is_active": "maybe"}, "sn", ["is_active"]),
    ({"is_active": 1}, "sn", ["is_active"]),
    ({"currency": "euros", "posted_after": "soon"}, "sn", ["currency", "posted_after"]),
    ({"limit": 1, "cursor": "x", "sort": "title", "fields": "id", "count": True, "new": True}, "sn",
     ["count", "cursor", "fields", "limit", "new", "sort"]),
]  # fmt: skip


@pytest.mark.usefixtures("ways")
async def test_it_finds_what_it_asks_for_and_tells_what_it_ignores(
    client: Client, postings: list[str]
) -> None:
    names = dict(zip(postings, "sni", strict=True))
    user = await client.user()

    for asked, expected, ignored in UNDERSTOOD:
        search = await client.search(user_id=user["id"], search_query=asked)
        ids = await found(client, search)

        assert search["search_query"] == asked
        assert (asked, "".join(sorted(map(names.__getitem__, ids)))) == (asked, "".join(sorted(expected)))
        assert (asked, search["total_matches"]) == (asked, len(expected))
        assert (asked, search["ignored_keys"]) == (asked, ignored)
        assert not search["total_is_capped"]


async def test_a_list_of_searches_has_the_counts_of_each(client: Client, postings: list[str]) -> None:
    user = await client.user()
    for asked, *_ in UNDERSTOOD:
        await client.search(user_id=user["id"], search_query=asked)

    listed = (await client.get(f"/saved-searches/user/{user['id']}")).json()

    assert [one["total_matches"] for one in listed] == [len(expected) for _, expected, _ in UNDERSTOOD]
    assert [one["ignored_keys"] for one in listed] == [ignored for *_, ignored in UNDERSTOOD]


async def test_nothing_is_new_to_a_search_that_was_just_saved(client: Client, postings: list[str]) -> None:
    search = await client.search(search_query={"title": "scientist"})

    assert (search["total_matches"], search["new_matches"]) == (1, 0)
    assert await counts(client, search) == (1, 0)
    assert await found(client, search, new=True) == []


@pytest.mark.usefixtures("ways")
async def test_what_comes_is_new_until_it_has_been_viewed(client: Client) -> None:
    search = await client.search(search_query={"title": "engineer"})
    first = await client.job()
    assert await counts(client, search) == (1, 1)
    assert await found(client, search, new=True) == [first["id"]]

    seen = await view(client, search)

    assert (seen["total_matches"], seen["new_matches"]) == (1, 0)
    assert seen["last_viewed"] == seen["last_match_check"] != None  # noqa: E711
    assert await counts(client, search) == (1, 0)
    second = await client.job()
    assert await counts(client, search) == (2, 1)
    assert await found(client, search, new=True) == [second["id"]]
    assert set(await found(client, search)) == {first["id"], second["id"]}


@pytest.mark.usefixtures("ways")
async def test_what_is_added_right_after_a_view_is_new_each_time(client: Client) -> None:
    search = await client.search(search_query={})

    for count in range(1, 11):
        await view(client, search)
        await client.job(posted_date="2020-01-01T00:00:00Z")
        assert await counts(client, search) == (count, 1)


@pytest.mark.usefixtures("ways")
async def test_counts_follow_what_becomes_of_postings(client: Client) -> None:
    search = await client.search(search_query={"title": "engineer", "skill": "Python"})
    job = await client.job(title="Nurse", skills_required=["Python"])
    path = f"/jobs/{job['id']}"
    assert await counts(client, search) == (0, 0)

    await client.patch(path, json={"title": "Engineer"})
    assert await counts(client, search) == (1, 1)
    await client.patch(path, json={"is_active": False})
    assert await counts(client, search) == (0, 0)
    await client.put(path, json={"is_active": True})
    assert await counts(client, search) == (1, 1)
    await view(client, search)
    await client.patch(path, json={"skills_required": []})
    assert await counts(client, search) == (0, 0)
    # It begins to match again, and yet is not new.
    await client.patch(path, json={"skills_required": ["python"]})
    assert await counts(client, search) == (1, 0)
    await client.delete(path)
    assert await counts(client, search) == (0, 0)


@pytest.mark.usefixtures("ways")
async def test_counts_follow_bulk_calls_and_ingest_runs(client: Client) -> None:
    search = await client.search(search_query={"title": "engineer", "source_platform": "LinkedIn"})
    run = await client.run(source_platform="LinkedIn")

    async def ingest(*names: str, run_id: str, **changes: Any) -> None:
        items = [samples.job(external_id=name, source_platform="LinkedIn", **changes) for name in names]
        response = await client.bulk("/jobs/", items, run_id=run_id)
        assert response.status_code == 200, response.text

    await ingest("a", "b", "c", run_id=run["id"])
    await client.post(f"/ingest-runs/{run['id']}/complete")
    assert await counts(client, search) == (3, 3)
    await view(client, search)

    run = await client.run(source_platform="LinkedIn")
    await ingest("b", "d", run_id=run["id"])
    assert await counts(client, search) == (4, 1)
    await client.post(f"/ingest-runs/{run['id']}/complete")
    # What the second did not see is closed.
    assert await counts(client, search) == (2, 1)


async def test_a_change_of_the_query_counts_at_once(client: Client, postings: list[str]) -> None:
    search = await client.search(search_query={"title": "nurse"})
    path = f"/saved-searches/{search['id']}"

    patched = (await client.patch(path, json={"search_query": {"title": None, "is_active": "any"}})).json()
    put = (await client.put(path, json={"search_query": {"titel": "x", "skill": "sql"}})).json()

    assert (patched["total_matches"], patched["ignored_keys"]) == (3, [])
    assert (put["total_matches"], put["ignored_keys"]) == (1, ["titel"])


async def test_above_a_cap_totals_are_not_exact_and_what_is_new_is(client: Client, mongo: Mongo) -> None:
    search = await client.search(search_query={"title": "engineer"})
    for _ in range(4):
        await client.job()

    async def capped_at(most: int) -> tuple[int, bool, int]:
        searches = Searches(mongo, SEARCHES, Jobs(mongo, JOBS), most)
        (one,) = await searches.counted([await searches.get(ObjectId(search["id"]))])
        return one["total_matches"], one["total_is_capped"], one["new_matches"]

    assert await capped_at(3) == (3, True, 4)
    assert await capped_at(4) == (4, False, 4)
    assert await capped_at(5) == (4, False, 4)


async def test_postings_come_in_pages_sorted_and_lean(client: Client) -> None:
    search = await client.search(search_query={"company": "initech"})
    made = [
        await client.job(title=f"Role {title}", posted_date=f"2026-01-0{day}T00:00:00Z")
        for title, day in (("b", 1), ("c", 2), ("a", 3))
    ]
    newest = [job["id"] for job in reversed(made)]

    first = await client.get(f"/saved-searches/{search['id']}/jobs?limit=2&count=true")
    rest = await client.get(first.links["next"]["url"])

    assert [job["id"] for job in first.json() + rest.json()] == newest
    assert first.headers["x-total-count"] == "3"
    assert "next" not in rest.links
    lean = await client.get(f"/saved-searches/{search['id']}/jobs/?sort=title&fields=title&new=true")
    assert [job["title"] for job in lean.json()] == ["Role a", "Role b", "Role c"]
    assert set(lean.json()[0]) == {"id", "title"}


async def test_with_words_to_look_for_the_best_comes_first(client: Client) -> None:
    search = await client.search(search_query={"q": "python"})
    best = await client.job(title="Python Engineer", posted_date="2026-01-01T00:00:00Z")
    other = await client.job(description="Some Python.", posted_date="2026-02-01T00:00:00Z")
    nothing_to_score = await client.search(search_query={"title": "engineer"})

    assert await found(client, search) == await found(client, search, new=True) == [best["id"], other["id"]]
    assert await found(client, search, sort="-posted_date") == [other["id"], best["id"]]
    refused = await client.get(f"/saved-searches/{nothing_to_score['id']}/jobs?sort=-score")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "no_score")


async def test_a_cursor_of_what_was_new_is_refused_once_it_was_viewed(client: Client) -> None:
    search = await client.search(search_query={})
    for _ in range(2):
        await client.job()
    page = await client.get(f"/saved-searches/{search['id']}/jobs?new=true&limit=1")
    following = page.links["next"]["url"]
    assert len((await client.get(following)).json()) == 1

    await view(client, search)

    assert (await client.get(following)).json()["code"] == "invalid_cursor"


async def test_a_search_that_is_not_there_finds_nothing_and_cannot_be_viewed(client: Client) -> None:
    for method, rest in (("GET", "jobs"), ("POST", "viewed")):
        response = await client.request(method, f"/saved-searches/{'5' * 24}/{rest}")
        assert (response.status_code, response.json()["detail"]) == (404, "SavedSearch not found")
        response = await client.request(method, f"/saved-searches/x/{rest}/")
        assert (response.status_code, response.json()["detail"]) == (400, "Invalid search ID")


async def test_a_view_that_is_sent_twice_is_one(client: Client) -> None:
    search = await client.search(search_query={})
    key = {"Idempotency-Key": "seen"}
    path = f"/saved-searches/{search['id']}/viewed"

    first = await client.post(path, headers=key)
    await client.job()
    again = await client.post(path, headers=key)

    assert again.content == first.content
    assert await counts(client, search) == (1, 1)


async def test_reading_changes_nothing(client: Client, mongo: Mongo) -> None:
    search = await client.search(search_query={})
    before = await mongo["saved_searches"].find_one()
    await client.job()

    await counts(client, search)
    await found(client, search, new=True)

    assert await mongo["saved_searches"].find_one() == before


async def test_the_entity_tag_tells_of_counts_and_lets_changes_through(client: Client) -> None:
    search = await client.search(search_query={})
    path = f"/saved-searches/{search['id']}"
    before = (await client.get(path)).headers["etag"]
    assert (await client.get(path, headers={"If-None-Match": before})).status_code == 304

    await client.job()
    now = await client.get(path, headers={"If-None-Match": before})

    assert (now.status_code, now.json()["total_matches"]) == (200, 1)
    assert now.headers["etag"] != before
    # Nobody else has changed the search itself.
    renamed = await client.patch(path, json={"search_name": "B"}, headers={"If-Match": before})
    assert renamed.status_code == 200
    assert (await client.get(path)).headers["etag"] == renamed.headers["etag"]
    again = await client.patch(path, json={"search_name": "C"}, headers={"If-Match": now.headers["etag"]})
    assert (again.status_code, again.json()["code"]) == (412, "stale")
    await view(client, search)
    viewed = await client.delete(path, headers={"If-Match": renamed.headers["etag"]})
    assert viewed.status_code == 412


async def test_counts_stay_what_they_are_when_they_are_stored(client: Client, mongo: Mongo) -> None:
    search = await client.search(search_query={})
    await mongo["saved_searches"].update_one({}, {"$set": {"total_matches": 7, "new_matches": 7}})

    assert await counts(client, search) == (0, 0)
