"""Which skills a user's active matches miss, and which one would open most."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.db.schema import MATCHES
from backend.app.db.skills import gap
from backend.tests.client import Client, Json

SCANS = {"IXSCAN", "COLLSCAN", "SORT"}


async def a_user(client: Client, *matches: tuple[float, list[str]], **changes: Any) -> str:
    user: str = (await client.user())["id"]
    for score, missing in matches:
        details = {"skills_missing": missing}
        await client.match(user_id=user, relevancy_score=score, match_details=details, **changes)
    return user


async def gap_of(client: Client, user: str, **query: Any) -> Json:
    answer = await client.get(f"/users/{user}/skill-gap", params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def rows(found: Json) -> list[tuple[Any, ...]]:
    return [tuple(one.values()) for one in found["skills"]]


async def test_each_missing_skill_with_its_matches_and_their_mean_score(client: Client) -> None:
    user = await a_user(client, (0.9, ["Docker", "Go"]), (0.5, ["Docker"]), (0.4, ["Go", "Docker"]), (1, []))

    found = await gap_of(client, user)

    assert found == {
        "user_id": user,
        "active_matches": 4,
        "skills": [
            {"skill": "Docker", "matches": 3, "mean_score": 0.6, "only_missing": 1},
            {"skill": "Go", "matches": 2, "mean_score": 0.65, "only_missing": 0},
        ],
    }


async def test_of_equals_the_higher_mean_score_comes_first_and_then_the_name(client: Client) -> None:
    user = await a_user(client, (0.5, ["b", "a", "B"]), (0.7, ["z"]))

    assert [row[0] for row in rows(await gap_of(client, user))] == ["z", "B", "a", "b"]


async def test_a_skill_that_is_named_twice_counts_once(client: Client) -> None:
    user = await a_user(client, (0.5, ["Go", "Go"]))

    assert rows(await gap_of(client, user)) == [("Go", 1, 0.5, 1)]


async def test_a_match_that_is_not_active_opens_nothing(client: Client) -> None:
    user = await a_user(client, (0.5, ["Go"]), is_active=False)

    assert await gap_of(client, user) == {"user_id": user, "active_matches": 0, "skills": []}


async def test_a_match_without_details_misses_nothing(client: Client) -> None:
    user = (await client.match())["user_id"]

    assert await gap_of(client, user) == {"user_id": user, "active_matches": 1, "skills": []}


async def test_the_first_is_the_top_missing_skill_when_it_stands_alone(client: Client) -> None:
    user = await a_user(client, (0.1, ["Go"]), (0.2, ["Go", "Rust"]))

    top = (await client.get(f"/users/{user}/stats")).json()["top_missing_skill"]

    assert rows(await gap_of(client, user))[0][0] == top == "Go"


async def test_as_many_skills_as_asked_for(client: Client) -> None:
    user = await a_user(client, (0.5, [f"skill {number:03}" for number in range(120)]))

    assert len(rows(await gap_of(client, user))) == 20
    assert len(rows(await gap_of(client, user, limit=100))) == 100
    assert rows(await gap_of(client, user, limit=1)) == [("skill 000", 1, 0.5, 0)]


@pytest.mark.parametrize("limit", [0, 101, "all"])
async def test_a_limit_is_from_1_to_100(client: Client, limit: object) -> None:
    answer = await client.get(f"/users/{'f' * 24}/skill-gap", params={"limit": str(limit)})

    assert answer.status_code == 422


async def test_the_skills_of_others_are_theirs(client: Client) -> None:
    await a_user(client, (0.5, ["Go"]))
    user = (await client.user())["id"]

    assert (await gap_of(client, user))["skills"] == []


async def test_nobody_misses_nothing(client: Client) -> None:
    answer = await client.get(f"/users/{'f' * 24}/skill-gap")

    assert (answer.status_code, answer.json()["detail"]) == (404, "User not found")


async def test_it_is_read_off_the_index_of_a_users_active_matches(mongo: Mongo) -> None:
    user = ObjectId()
    fields = {"user_id": user, "relevancy_score": 0.5}
    await mongo[MATCHES.name].insert_many(
        [{**fields, "job_id": ObjectId(), "is_active": number == 0} for number in range(50)]
    )
    command = {"aggregate": MATCHES.name, "pipeline": gap(user, 20), "cursor": {}}

    plan = await mongo.db.command("explain", command)

    planners = [node["queryPlanner"]["winningPlan"] for node in nodes(plan) if "queryPlanner" in node]
    scans = [node for plan in planners for node in nodes(plan) if node.get("stage") in SCANS]
    assert [scan.get("indexName") for scan in scans] == ["user_id_1_is_active_1_relevancy_score_-1__id_-1"]


def nodes(tree: Any) -> Iterator[Json]:
    if isinstance(tree, dict):
        yield tree
        for below in tree.values():
            yield from nodes(below)
    elif isinstance(tree, list):
        for one in tree:
            yield from nodes(one)
