"""Stats, as the guide has them and as the contract settles the rest."""

import pytest

from backend.tests.client import Client


async def test_stats_are_born_with_the_user_as_zeros_and_nulls(client: Client) -> None:
    user = await client.user()

    stats = (await client.get(f"/users/{user['id']}/stats")).json()

    assert stats.pop("id") != user["id"]
    assert stats == {
        "user_id": user["id"],
        "jobs_viewed": 0,
        "jobs_saved": 0,
        "jobs_applied": 0,
        "jobs_rejected": 0,
        "jobs_withdrawn": 0,
        "top_missing_skill": None,
        "created_at": user["created_at"],
        "last_calculated": None,
    }


async def test_a_patch_changes_what_it_names(client: Client) -> None:
    path = f"/users/{(await client.user())['id']}/stats"

    await client.patch(path, json={"jobs_viewed": 5, "jobs_saved": 2, "top_missing_skill": "Docker"})
    patch = await client.patch(path, json={"jobs_viewed": 10})
    back = await client.patch(path, json={"jobs_saved": None, "top_missing_skill": None})

    assert (patch.json()["jobs_viewed"], patch.json()["jobs_saved"]) == (10, 2)
    assert patch.json()["top_missing_skill"] == "Docker"
    assert patch.json()["last_calculated"] is not None
    assert (back.json()["jobs_saved"], back.json()["top_missing_skill"]) == (0, None)


@pytest.mark.parametrize("count", [-1, 1.5, "1", True, 2**63])
async def test_a_count_is_a_whole_number_from_zero(client: Client, count: object) -> None:
    path = f"/users/{(await client.user())['id']}/stats"

    response = await client.patch(path, json={"jobs_viewed": count})

    assert response.status_code == 422
    assert (await client.get(path)).json()["jobs_viewed"] == 0


async def test_stats_go_with_the_user(client: Client) -> None:
    user = await client.user()
    path = f"/users/{user['id']}/stats"
    await client.delete(f"/users/{user['id']}")

    read = await client.get(path)
    patch = await client.patch(path, json={"jobs_viewed": 1})

    assert (read.status_code, read.json()["detail"]) == (404, "UserStats not found")
    assert (patch.status_code, patch.json()["detail"]) == (404, "UserStats not found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_stats_are_never_made_or_removed_by_hand(client: Client, method: str) -> None:
    user = await client.user()

    response = await client.request(method, f"/users/{user['id']}/stats", json={})

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, PATCH"
