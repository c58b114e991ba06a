"""Users, as the guide has them and as the contract settles the rest."""

from datetime import datetime

import pytest

from backend.app.db.mongo import Mongo
from backend.app.models.users import PREFERENCES
from backend.tests.client import Client


async def test_a_user_needs_only_a_name_and_an_address(client: Client) -> None:
    response = await client.post("/users/", json={"name": "John Doe", "email": "john@test.com"})

    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/users/{made['id']}"
    assert (made["name"], made["email"], made["updated_at"]) == ("John Doe", "john@test.com", None)
    assert datetime.fromisoformat(made["created_at"]).utcoffset() is not None
    assert made["created_at"].endswith("Z")


async def test_what_was_made_is_what_is_read(client: Client) -> None:
    made = await client.user(preferences=PREFERENCES, credentials={"years_experience": 3, "none": None})

    read = await client.get(f"/users/{made['id']}")

    assert read.json() == made
    assert read.json()["preferences"] == PREFERENCES
    assert read.json()["credentials"] == {"years_experience": 3, "none": None}


async def test_users_are_listed_oldest_first(client: Client) -> None:
    made = [await client.user() for _ in range(3)]

    assert (await client.get("/users/")).json() == made


async def test_a_put_replaces_what_it_names_and_leaves_the_rest(client: Client) -> None:
    made = await client.user(preferences=PREFERENCES)

    put = await client.put(f"/users/{made['id']}", json={"name": "New", "preferences": {"skills": ["Go"]}})

    assert put.status_code == 200
    assert put.json()["name"] == "New"
    assert put.json()["email"] == made["email"]
    assert put.json()["preferences"]["skills"] == ["Go"]
    assert put.json()["preferences"]["salary_min"] is None
    assert put.json()["updated_at"] is not None


async def test_a_patch_merges_embedded_objects(client: Client) -> None:
    made = await client.user(preferences=PREFERENCES)

    patch = await client.patch(
        f"/users/{made['id']}", json={"preferences": {"salary_min": 80000, "experience_level": None}}
    )

    assert patch.json()["preferences"] == {**PREFERENCES, "salary_min": 80000, "experience_level": None}


async def test_a_patch_of_one_bound_is_checked_against_the_other(client: Client) -> None:
    made = await client.user(preferences=PREFERENCES)

    patch = await client.patch(f"/users/{made['id']}", json={"preferences": {"salary_min": 130001}})

    assert patch.status_code == 422
    assert patch.json()["errors"][0]["pointer"] == "/preferences"
    assert (await client.get(f"/users/{made['id']}")).json() == made


async def test_null_takes_an_optional_field_away_and_not_a_required_one(client: Client) -> None:
    made = await client.user(credentials={"a": 1}, preferences=PREFERENCES)

    taken = await client.patch(f"/users/{made['id']}", json={"credentials": None, "preferences": None})
    kept = await client.patch(f"/users/{made['id']}", json={"name": None})

    assert taken.json()["credentials"] is None
    assert taken.json()["preferences"]["skills"] == []
    assert kept.status_code == 422
    assert kept.json()["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize("value", [True, 1.0, "1", [1]])
async def test_a_value_of_another_type_is_a_change_even_when_python_calls_it_equal(
    client: Client, value: object
) -> None:
    made = await client.user(credentials={"a": 1})

    patch = await client.patch(f"/users/{made['id']}", json={"credentials": {"a": value}})

    assert repr(patch.json()["credentials"]["a"]) == repr(value)
    assert patch.json()["updated_at"] is not None


async def test_a_patch_that_changes_nothing_leaves_the_document_as_it_is(client: Client) -> None:
    made = await client.user(preferences=PREFERENCES)

    patch = await client.patch(f"/users/{made['id']}", json={"preferences": {"salary_min": 90000.0}})

    assert (patch.status_code, patch.json()) == (200, made)


async def test_an_address_is_taken_whatever_its_case(client: Client) -> None:
    made = await client.user(email="Ada@Example.com")
    other = await client.user()

    again = await client.post("/users/", json={"name": "A", "email": "ADA@example.COM"})
    moved = await client.patch(f"/users/{other['id']}", json={"email": "aDa@example.com"})
    put = await client.put(f"/users/{other['id']}", json={"email": "aDa@example.com"})

    assert made["email"] == "ada@example.com"
    assert [again.status_code, moved.status_code, put.status_code] == [409, 409, 409]
    assert "email" in again.json()["detail"]


async def test_a_password_is_kept_as_a_hash_and_never_shown(client: Client, mongo: Mongo) -> None:
    made = await client.user(password="correct horse")
    stored = await mongo.db["users"].find_one({})
    patch = await client.patch(f"/users/{made['id']}", json={"password": "battery staple"})
    changed = await mongo.db["users"].find_one({})
    await client.patch(f"/users/{made['id']}", json={"password": None})
    removed = await mongo.db["users"].find_one({})

    assert stored and changed and removed
    assert stored["password"].startswith("$argon2id$")
    assert changed["password"].startswith("$argon2id$") and changed["password"] != stored["password"]
    assert "password" not in removed
    assert "password" not in made and "password" not in patch.json()


@pytest.mark.parametrize("password", ["short", "x" * 129])
async def test_a_password_has_8_to_128_characters(client: Client, password: str) -> None:
    response = await client.post("/users/", json={"name": "A", "email": "a@b.c", "password": password})

    assert response.status_code == 422


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "@b.com", "a b@c.com", "a@b..com", "a@b.com\n", "a@b@c.com"]
)
async def test_an_address_is_an_address(client: Client, address: str) -> None:
    response = await client.post("/users/", json={"name": "A", "email": address})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/email"


async def test_a_user_comes_with_stats_and_takes_everything_along(client: Client, mongo: Mongo) -> None:
    user, stranger = await client.user(), await client.user()
    for somebody in (user, stranger):
        job = await client.job()
        await client.match(user_id=somebody["id"], job_id=job["id"])
        await client.interaction(user_id=somebody["id"], job_id=job["id"])
        await client.search(user_id=somebody["id"])

    deleted = await client.delete(f"/users/{user['id']}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    for name in ("user_stats", "saved_searches", "user_job_interactions", "job_matches"):
        assert [str(left["user_id"]) async for left in mongo.db[name].find()] == [stranger["id"]]
    assert (await client.get(f"/users/{user['id']}")).json()["detail"] == "User not found"
    assert (await client.delete(f"/users/{user['id']}")).status_code == 404
