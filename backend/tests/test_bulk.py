"""Bulk calls: what becomes of each item, and what is told of it."""

from typing import Any

import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.models import bulk
from backend.tests import samples
from backend.tests.client import Client, Json

STATUSES = ("created", "updated", "unchanged", "rejected")


def summary(**counts: int) -> Json:
    return {**dict.fromkeys(STATUSES, 0), **counts}


async def only(mongo: Mongo, name: str) -> dict[str, Any]:
    (document,) = await mongo[name].find().to_list(None)
    found: dict[str, Any] = document
    return found


async def test_each_item_is_told_of_in_order_with_its_key_and_its_id(client: Client) -> None:
    new, bad, nameless = samples.job(), samples.job(title=5), {"title": "Engineer"}

    answer = await client.bulk("/jobs/", [new, bad, nameless, new])

    (made,) = (await client.get("/jobs/")).json()
    told = answer.json()
    assert answer.status_code == 207
    assert told["summary"] == summary(created=1, rejected=2, unchanged=1)
    assert told["truncated"] is False
    assert told["items"][0] == {
        "index": 0,
        "status": "created",
        "id": made["id"],
        "external_id": new["external_id"],
        "errors": [],
    }
    assert told["items"][1] == {
        "index": 1,
        "status": "rejected",
        "id": None,
        "external_id": bad["external_id"],
        "errors": [{"pointer": "/title", "detail": "Input should be a valid string", "code": "string_type"}],
    }
    assert told["items"][2]["external_id"] is None
    assert told["items"][2]["errors"][0] == {
        "pointer": "/external_id",
        "detail": "This field is required",
        "code": "missing",
    }
    assert told["items"][3] == {**told["items"][0], "index": 3, "status": "unchanged"}


async def test_an_item_has_at_most_five_faults(client: Client) -> None:
    (told,) = (await client.bulk("/jobs/", [{f"field{number}": 1 for number in range(9)}])).json()["items"]

    assert len(told["errors"]) == 5


@pytest.mark.parametrize("as_lines", [False, True])
async def test_what_is_told_is_what_was_asked_for(client: Client, as_lines: bool) -> None:
    sent = [samples.job(), samples.job(title="")]

    told = {
        report: (await client.bulk("/jobs/", sent, as_lines=as_lines, report=report)).json()
        for report in ("all", "rejected", "none")
    }
    usual = (await client.bulk("/jobs/", sent, as_lines=as_lines)).json()

    indexes = {report: [item["index"] for item in answer["items"]] for report, answer in told.items()}
    assert indexes == {"all": [0, 1], "rejected": [1], "none": []}
    assert not any(answer["truncated"] for answer in told.values())
    assert usual == told["rejected"] if as_lines else usual["items"][1:] == told["rejected"]["items"]
    assert len(usual["items"]) == (1 if as_lines else 2)


async def test_of_lines_a_thousand_are_told_and_of_an_array_all(client: Client) -> None:
    wrong = [5] * 1_001

    lines = (await client.bulk("/jobs/", wrong, as_lines=True)).json()
    just = (await client.bulk("/jobs/", wrong[1:], as_lines=True)).json()
    array = (await client.bulk("/jobs/", wrong)).json()

    assert lines["summary"] == summary(rejected=1_001)
    assert [item["index"] for item in lines["items"]] == list(range(1_000))
    assert (lines["truncated"], just["truncated"], array["truncated"]) == (True, False, False)
    assert len(array["items"]) == 1_001


@pytest.mark.parametrize("as_lines", [False, True])
@pytest.mark.parametrize("path", ["/jobs/", "/job-matches/", "/interactions/"])
async def test_nothing_comes_to_nothing(client: Client, path: str, as_lines: bool) -> None:
    answer = await client.bulk(path, [], as_lines=as_lines)

    assert (answer.status_code, answer.json()) == (
        200,
        {"summary": summary(), "items": [], "truncated": False},
    )


async def test_all_or_none_is_none_when_one_is_bad(client: Client, mongo: Mongo) -> None:
    made = await client.job()
    before = await only(mongo, "jobs")
    changed = {name: made[name] for name in samples.job()} | {"title": "Clerk"}

    sent = [samples.job(), changed, samples.job(title=5, location=None), 5]
    answer = await client.bulk("/jobs/", sent, atomic=True)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/2/title", "/2/location", "/3"]
    assert await only(mongo, "jobs") == before


async def test_all_or_none_is_all_when_none_is_bad(client: Client) -> None:
    made = await client.job()
    same = {name: made[name] for name in samples.job()}

    answer = await client.bulk("/jobs/", [samples.job(), same, {**same, "title": "Clerk"}], atomic=True)

    assert answer.status_code == 200
    assert answer.json()["summary"] == summary(created=1, unchanged=1, updated=1)


async def test_all_or_none_is_for_arrays_of_up_to_a_thousand(client: Client, mongo: Mongo) -> None:
    jobs = [samples.job() for _ in range(1_001)]

    many = await client.bulk("/jobs/", jobs, atomic=True)
    lines = await client.bulk("/jobs/", jobs[:2], atomic=True, as_lines=True)

    assert (many.status_code, many.json()["code"]) == (413, "too_large")
    assert (lines.status_code, lines.json()["errors"][0]["pointer"]) == (422, "/query/atomic")
    assert await mongo["jobs"].count_documents({}) == 0
    assert (await client.bulk("/jobs/", jobs[1:], atomic=True)).json()["summary"] == summary(created=1_000)


@pytest.mark.parametrize("as_lines", [False, True])
async def test_a_dry_run_takes_ten_thousand_and_writes_none(
    client: Client, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, as_lines: bool
) -> None:
    monkeypatch.setattr("backend.app.bulk.ingestion.MOST_ITEMS", 20)
    jobs = [samples.job() for _ in range(21)]

    fits = await client.bulk("/jobs/", jobs[1:], as_lines=as_lines, dry_run=True)
    too_many = await client.bulk("/jobs/", jobs, as_lines=as_lines, dry_run=True)

    assert fits.json()["summary"] == summary(created=20)
    assert (too_many.status_code, too_many.json()["code"]) == (413, "too_large")
    assert await mongo["jobs"].count_documents({}) == 0
    assert bulk.MOST_ITEMS == 10_000


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("mode=upsert", "/query/mode"),
        ("mode=", "/query/mode"),
        ("report=some", "/query/report"),
        ("dry_run=perhaps", "/query/dry_run"),
        ("atomic=2", "/query/atomic"),
        ("dryrun=true", "/query/dryrun"),
        ("run_id=665f60000000000000000001", "/query/run_id"),
    ],
)
async def test_a_parameter_that_is_not_right_is_422(client: Client, query: str, pointer: str) -> None:
    response = await client.post(f"/job-matches/bulk?{query}", json=[])

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


async def test_what_is_fixed_cannot_be_sent(client: Client) -> None:
    job = samples.job()
    for name in ("id", "_id", "created_at", "updated_at", "revision", "seal"):
        (told,) = (await client.bulk("/jobs/", [{**job, name: str(ObjectId())}])).json()["items"]
        assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [
            (f"/{name}", "unknown_field")
        ]


async def test_what_is_noted_of_a_document_is_not_shown(client: Client) -> None:
    (told,) = (await client.bulk("/jobs/", [samples.job()])).json()["items"]

    shown = (await client.get(f"/jobs/{told['id']}")).json()

    assert not {"seal", "revision", "_id"} & set(shown)
