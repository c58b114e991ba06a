"""Interactions, as the guide has them and as the contract settles the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.tests import samples
from backend.tests.client import Client


async def test_each_type_happens_once_for_a_user_and_a_posting(client: Client) -> None:
    made = await client.interaction()
    other = await client.interaction(user_id=made["user_id"], job_id=made["job_id"], interaction_type="saved")

    again = await client.post("/interactions/", json=samples.interaction(made["user_id"], made["job_id"]))
    turned = await client.patch(f"/interactions/{other['id']}", json={"interaction_type": "viewed"})

    assert (again.status_code, turned.status_code) == (409, 409)
    assert "user_id and job_id and interaction_type" in again.json()["detail"]


async def test_a_viewed_posting_can_turn_into_a_saved_one(client: Client) -> None:
    made = await client.interaction()

    patch = await client.patch(f"/interactions/{made['id']}", json={"interaction_type": "saved"})

    assert patch.json() == {**made, "interaction_type": "saved"}


async def test_lists_are_newest_first_and_by_type(client: Client) -> None:
    user, job = await client.user(), await client.job()
    pair = {"user_id": user["id"], "job_id": job["id"]}
    old = await client.interaction(**pair, timestamp="2026-01-01T00:00:00Z")
    new = await client.interaction(**pair, timestamp="2026-01-03T00:00:00Z", interaction_type="saved")
    mid = await client.interaction(**pair, timestamp="2026-01-02T00:00:00Z", interaction_type="applied")
    await client.interaction()

    for path in (f"/interactions/user/{user['id']}", f"/interactions/job/{job['id']}"):
        assert (await client.get(path)).json() == [new, mid, old]
        assert (await client.get(f"{path}?interaction_type=applied")).json() == [mid]
        assert (await client.get(f"{path}?interaction_type=withdrawn")).json() == []
        assert (await client.get(f"{path}?interaction_type=eaten")).status_code == 422


async def test_what_has_not_happened_yet_is_refused(client: Client) -> None:
    made = await client.interaction()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    posted = await client.post(
        "/interactions/", json=samples.interaction(made["user_id"], made["job_id"], timestamp=tomorrow)
    )
    patched = await client.patch(f"/interactions/{made['id']}", json={"timestamp": tomorrow})

    assert (posted.status_code, patched.status_code) == (422, 422)
    assert posted.json()["errors"][0] == {
        "pointer": "/timestamp",
        "detail": "Input should not be in the future",
        "code": "in_the_future",
    }


@pytest.mark.parametrize("kind", ["looked", "", None, 5, "Viewed"])
async def test_a_type_is_one_of_five(client: Client, kind: object) -> None:
    user, job = await client.user(), await client.job()

    response = await client.post(
        "/interactions/", json=samples.interaction(user["id"], job["id"], interaction_type=kind)
    )

    assert response.status_code == 422


async def test_an_interaction_of_a_missing_parent_is_not_stored(client: Client) -> None:
    user, job = await client.user(), await client.job()
    gone = "5" * 24

    no_user = await client.post("/interactions/", json=samples.interaction(gone, job["id"]))
    no_job = await client.post("/interactions/", json=samples.interaction(user["id"], gone))

    assert (no_user.status_code, no_user.json()["detail"]) == (404, "User not found")
    assert (no_job.status_code, no_job.json()["detail"]) == (404, "Job not found")
    assert (await client.get(f"/interactions/user/{user['id']}")).json() == []
    assert (await client.get(f"/interactions/user/{gone}")).json() == []
