"""The table against the database: its indexes are made once, and every list runs on one."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db.indexes import IndexConflict, compare_indexes, ensure_indexes, wanted
from backend.app.db.mongo import Mongo
from backend.app.db.paging import Reading
from backend.app.db.schema import TABLE, Listing, Spec
from backend.app.models.base import Document, now

LISTINGS = [
    pytest.param(spec, listing, id=f"{spec.name} by {' and '.join(listing.where) or 'all'}")
    for spec in TABLE
    for listing in spec.lists
]
CLOSED = {"is_active", "interaction_type"}


@pytest.mark.parametrize(("spec", "listing"), LISTINGS)
@pytest.mark.parametrize("closed", ["one", "any"])
@pytest.mark.parametrize("page", ["first", "next"])
async def test_a_list_is_read_off_its_index(
    mongo: Mongo, spec: Spec, listing: Listing, closed: str, page: str
) -> None:
    where: Document = {
        name: ObjectId() if name not in CLOSED else spec.all_values(name)[0] if closed == "one" else None
        for name in listing.where
    }
    reading = Reading(spec, listing, where)
    last = {"_id": ObjectId(), listing.by: 0.5 if "score" in listing.by else now()}
    cursor = reading.cursor_after(last) if page == "next" else None

    command = {"find": spec.name, "filter": reading.query(cursor), "sort": dict(reading.listing.sort)}
    plan = await mongo.db.command("explain", {**command, "limit": 101})

    stages = set(stages_of(plan["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in stages
    assert not stages & {"COLLSCAN", "SORT"}


def stages_of(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for part in plan.values():
            yield from stages_of(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages_of(part)


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
async def test_a_cascade_finds_the_children_by_an_index(mongo: Mongo, spec: Spec) -> None:
    for field in spec.belongs_to:
        plan = await mongo.db.command(
            "explain", {"find": spec.name, "filter": {field: {"$in": [ObjectId()]}}}
        )
        assert "COLLSCAN" not in set(stages_of(plan["queryPlanner"]["winningPlan"]))


async def test_making_the_indexes_again_makes_none(mongo: Mongo) -> None:
    report = await ensure_indexes(mongo)

    assert report.created == []
    assert len(report.present) == sum(map(len, wanted().values()))


async def test_an_index_that_is_missing_is_made(mongo: Mongo) -> None:
    await mongo.db["users"].drop_index("email_1")

    report = await ensure_indexes(mongo)

    assert report.created == ["users.email_1"]


async def test_an_index_in_the_way_is_named_and_not_dropped(mongo: Mongo) -> None:
    await mongo.db["users"].drop_index("email_1")
    await mongo.db["users"].create_index("email", sparse=True)
    try:
        with pytest.raises(IndexConflict, match=r"users: index email_1 has options \{'sparse': True\}"):
            await ensure_indexes(mongo)
        assert "email_1" in await mongo.db["users"].index_information()
    finally:
        await mongo.db["users"].drop_index("email_1")
        await ensure_indexes(mongo)


async def test_another_index_under_the_name_is_named_and_not_dropped(mongo: Mongo) -> None:
    await mongo.db["jobs"].drop_index("external_id_1")
    await mongo.db["jobs"].create_index("title", name="external_id_1")
    try:
        with pytest.raises(IndexConflict, match="jobs: index external_id_1 has keys"):
            await ensure_indexes(mongo)
    finally:
        await mongo.db["jobs"].drop_index("external_id_1")
        await ensure_indexes(mongo)


async def test_documents_that_share_a_key_are_named_as_the_obstacle(mongo: Mongo) -> None:
    await mongo.db["jobs"].drop_index("external_id_1")
    await mongo.db["jobs"].insert_many([{"external_id": "one"}, {"external_id": "one"}])
    try:
        with pytest.raises(IndexConflict, match="documents that share external_id"):
            await ensure_indexes(mongo)
    finally:
        await mongo.db["jobs"].delete_many({})
        await ensure_indexes(mongo)


async def test_looking_makes_nothing(mongo: Mongo) -> None:
    await mongo.db["users"].drop_index("email_1")
    try:
        report = await compare_indexes(mongo)
        assert "email_1" not in await mongo.db["users"].index_information()
        assert "users.email_1" not in report.present
    finally:
        await ensure_indexes(mongo)
