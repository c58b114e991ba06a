"""The table against the database: its indexes are made once, and every list runs on one."""

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.exports import Export, JobExport
from backend.app.db.indexes import IndexConflict, compare_indexes, ensure_indexes, wanted
from backend.app.db.jobs import Jobs
from backend.app.db.mongo import Mongo
from backend.app.db.paging import Reading
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, TABLE, USERS, Listing, Spec, in_order_of_ids
from backend.app.models.base import EXAMPLE_IDS, Document, now
from backend.app.models.job_filters import JobFilters

LISTINGS = [
    pytest.param(spec, listing, id=f"{spec.name} by {' and '.join(listing.where) or 'all'}")
    for spec in TABLE
    for listing in spec.lists
]
CLOSED = {"is_active", "interaction_type"}
PARENTS = ("user_id", "job_id")


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
    value = "x" if str in listing.holds else 0.5 if "score" in listing.by else now()
    outer, _, inner = listing.by.partition(".")
    last = {"_id": ObjectId(), outer: {inner: value} if inner else value}
    cursor = reading.cursor_after(last) if page == "next" else None

    command = {"find": spec.name, "filter": reading.query(cursor), "sort": dict(reading.listing.sort)}
    plan = await mongo.db.command("explain", {**command, "limit": 101})

    stages = set(stages_of(plan["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in stages
    assert not stages & {"COLLSCAN", "SORT"}


SOMEBODY = ObjectId(EXAMPLE_IDS["user"])
BY_ID = "_id_"
EXPORTS: list[tuple[Spec, Document, str]] = [
    (USERS, {}, BY_ID),
    *((JOBS, {"is_active": one}, BY_ID) for one in (True, False, None)),
    *((MATCHES, {"is_active": one}, BY_ID) for one in (True, None)),
    *((INTERACTIONS, {"interaction_type": one}, BY_ID) for one in ("saved", None)),
    *((MATCHES, {name: SOMEBODY, "is_active": True}, f"{name}_1__id_1") for name in PARENTS),
    *((INTERACTIONS, {name: SOMEBODY, "interaction_type": "saved"}, f"{name}_1__id_1") for name in PARENTS),
]


@pytest.mark.parametrize(
    ("spec", "where", "index"),
    EXPORTS,
    ids=[
        f"{spec.name} by {', '.join(f'{name}={where[name]}' for name in where)}" for spec, where, _ in EXPORTS
    ],
)
@pytest.mark.parametrize("begins", ["at the beginning", "further on"])
async def test_an_export_is_read_off_its_index_in_order(
    app: FastAPI, mongo: Mongo, spec: Spec, where: Document, index: str, begins: str
) -> None:
    export = Export(app.state.collections[spec], where)
    query = export.query(ObjectId() if begins == "further on" else None)

    command = {"find": spec.name, "filter": query, "sort": {"_id": 1}, "limit": 1000, "singleBatch": True}
    assert export.hint is not None
    command["hint"] = dict(export.hint)
    plan = (await mongo.db.command("explain", command))["queryPlanner"]["winningPlan"]

    assert not set(values_of(plan, "stage")) & {"COLLSCAN", "SORT"}
    assert set(values_of(plan, "indexName")) == {index}


@pytest.mark.parametrize("filters", [{"skill": ["python"]}, {"q": '"a b" -c'}, {"salary_min": 5.0}], ids=str)
@pytest.mark.parametrize("active", [True, None])
@pytest.mark.parametrize("known", [True, False], ids=["few", "many"])
async def test_an_export_of_what_is_asked_for_is_read_off_an_index(
    mongo: Mongo, filters: Document, active: bool | None, known: bool
) -> None:
    jobs = Jobs(mongo, JOBS)
    jobs.frequencies.postings = 1 if known else 0
    export = JobExport(jobs, JobFilters(**filters).query(active))

    assert export.hint is not None
    command = {"find": "jobs", "filter": export.query(ObjectId()), "sort": {"_id": 1}, "limit": 1000}
    plan = await mongo.db.command("explain", {**command, "hint": dict(export.hint)})
    found = plan["queryPlanner"]["winningPlan"]

    # What is few may be put in order.
    may_sort = known
    assert not set(stages_of(found)) & {"COLLSCAN", *([] if may_sort else ["SORT"])}
    assert (set(values_of(found, "indexName")) == {BY_ID}) is not may_sort


@pytest.mark.parametrize("spec", [MATCHES, INTERACTIONS], ids=lambda spec: spec.name)
async def test_an_export_of_one_user_and_one_posting_is_read_off_their_key(
    app: FastAPI, mongo: Mongo, spec: Spec
) -> None:
    export = Export(app.state.collections[spec], dict.fromkeys(PARENTS, SOMEBODY))

    command = {"find": spec.name, "filter": export.query(None), "sort": {"_id": 1}}
    plan = await mongo.db.command("explain", command)

    # One match, or one interaction of each type: to be sorted or not.
    assert export.hint is None
    assert "COLLSCAN" not in set(stages_of(plan["queryPlanner"]["winningPlan"]))


async def test_the_active_postings_of_a_source_are_found_without_reading_them(mongo: Mongo) -> None:
    mine = {"source_platform": "LinkedIn", "is_active": True, "_id": {"$gt": ObjectId()}}
    hint = dict(in_order_of_ids(("source_platform", "is_active")))

    command = {"find": "jobs", "filter": mine, "projection": {"_id": 1}, "sort": {"_id": 1}, "hint": hint}
    plan = await mongo.db.command("explain", command)

    assert not set(stages_of(plan["queryPlanner"]["winningPlan"])) & {"COLLSCAN", "SORT", "FETCH"}


def stages_of(plan: Any) -> Iterator[str]:
    return values_of(plan, "stage")


def values_of(plan: Any, name: str) -> Iterator[str]:
    """What a plan says under a name, however deep."""
    if isinstance(plan, dict):
        if isinstance(plan.get(name), str):
            yield plan[name]
        for part in plan.values():
            yield from values_of(part, name)
    elif isinstance(plan, list):
        for part in plan:
            yield from values_of(part, name)


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
