"""A child that came too late, of a process that was killed before it could take it back, is swept up."""

from datetime import UTC, datetime, timedelta

from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.db.removals import DEADLINES_TO_WAIT, sweep
from backend.app.db.schema import REMOVALS
from backend.tests.client import Client


async def orphan(mongo: Mongo, client: Client) -> tuple[ObjectId, ObjectId]:
    """What a kill leaves behind: a parent removed, and a match added behind its back."""
    match = await client.match()
    stored = await mongo["job_matches"].find_one({"_id": ObjectId(match["id"])})
    assert stored
    await client.delete(f"/users/{match['user_id']}")
    await mongo["job_matches"].insert_one(stored)
    return stored["user_id"], stored["_id"]


async def test_a_start_sweeps_what_was_just_removed(mongo: Mongo, client: Client) -> None:
    _, match_id = await orphan(mongo, client)

    await sweep(mongo, recent=True)

    assert await mongo["job_matches"].find_one({"_id": match_id}) is None


async def test_a_recent_removal_is_remembered_after_a_sweep(mongo: Mongo, client: Client) -> None:
    user_id, _ = await orphan(mongo, client)

    await sweep(mongo, recent=True)

    assert await mongo[REMOVALS.name].find_one({"document": user_id})


async def test_an_old_removal_is_swept_once_more_and_forgotten(mongo: Mongo, client: Client) -> None:
    user_id, match_id = await orphan(mongo, client)
    long_ago = datetime.now(UTC) - timedelta(seconds=(DEADLINES_TO_WAIT + 1) * mongo.settings.bulk_deadline)
    await mongo[REMOVALS.name].delete_many({})
    await mongo[REMOVALS.name].insert_one(
        {"_id": ObjectId.from_datetime(long_ago), "collection": "users", "document": user_id}
    )

    await sweep(mongo, recent=False)

    assert await mongo["job_matches"].find_one({"_id": match_id}) is None
    assert await mongo[REMOVALS.name].count_documents({}) == 0


async def test_a_removal_that_failed_is_not_remembered(mongo: Mongo, client: Client) -> None:
    await mongo[REMOVALS.name].delete_many({})

    await client.delete("/users/" + "5" * 24)

    assert await mongo[REMOVALS.name].count_documents({}) == 0
