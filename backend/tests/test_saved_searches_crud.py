"""Saved searches, as the guide has them and as the contract settles the rest."""

import pytest

from backend.tests import samples
from backend.tests.client import Client


async def test_a_saved_search_starts_without_matches(client: Client) -> None:
    made = await client.search(search_query={"title": "data scientist", "location": "remote"})

    assert made["search_query"] == {"title": "data scientist", "location": "remote"}
    assert (made["total_matches"], made["new_matches"]) == (0, 0)
    assert (made["last_viewed"], made["last_match_check"]) == (None, None)
    assert (await client.get(f"/saved-searches/{made['id']}")).json() == made


async def test_a_users_searches_are_listed_oldest_first(client: Client) -> None:
    first = await client.search()
    second = await client.search(user_id=first["user_id"])
    await client.search()

    assert (await client.get(f"/saved-searches/user/{first['user_id']}")).json() == [first, second]


async def test_a_patch_merges_the_query_and_a_put_replaces_it(client: Client) -> None:
    made = await client.search(search_query={"title": "a", "where": {"city": "b", "zip": 1}})
    path = f"/saved-searches/{made['id']}"

    patch = await client.patch(path, json={"search_query": {"where": {"zip": None, "street": "c"}}})
    put = await client.put(path, json={"search_name": "New", "search_query": {"role": "frontend"}})

    assert patch.json()["search_query"] == {"title": "a", "where": {"city": "b", "street": "c"}}
    assert put.json()["search_query"] == {"role": "frontend"}
    assert put.json()["search_name"] == "New"


@pytest.mark.parametrize("field", ["total_matches", "new_matches", "last_viewed", "created_at", "user_id"])
async def test_what_the_server_keeps_cannot_be_sent(client: Client, field: str) -> None:
    made = await client.search()

    response = await client.patch(f"/saved-searches/{made['id']}", json={field: made[field]})

    assert response.status_code == 422


@pytest.mark.parametrize("name", ["", "x" * 151])
async def test_a_name_has_1_to_150_characters(client: Client, name: str) -> None:
    user = await client.user()

    response = await client.post("/saved-searches/", json=samples.search(user["id"], search_name=name))

    assert response.status_code == 422


async def test_a_search_of_a_missing_user_is_not_stored(client: Client) -> None:
    response = await client.post("/saved-searches/", json=samples.search("5" * 24))

    assert (response.status_code, response.json()["detail"]) == (404, "User not found")
    assert (await client.get("/saved-searches/user/" + "5" * 24)).json() == []
