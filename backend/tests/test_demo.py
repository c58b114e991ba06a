"""The demo data: believable, the same every time, and what the examples of the docs pages are about."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from statistics import fmean

import pytest
from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.mongo import Mongo
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, RUNS, SEARCHES, STATS, TABLE, USERS, Spec
from backend.app.models.base import EXAMPLE_IDS, Document
from backend.cli import main
from backend.demo import Dataset, dataset
from backend.tests.client import Client, Json

TODAY = datetime.combine(datetime.now(UTC), time.min)
DATA = dataset(TODAY)
SIZES = {USERS: 60, JOBS: 400, MATCHES: 1500, SEARCHES: 100, INTERACTIONS: 800, STATS: 60}

Say = Callable[..., Awaitable[tuple[int, str, str]]]


def documents(spec: Spec, data: Dataset = DATA) -> list[Document]:
    return [{**entry.body.stored(), "_id": entry.id, **entry.kept} for entry in data[spec]]


BY_ID = {document["_id"]: document for spec in TABLE for document in documents(spec)}


def test_there_is_enough_to_page_through() -> None:
    for spec, size in SIZES.items():
        assert 0.9 * size <= len(DATA[spec]) <= 1.5 * size


def test_the_same_day_makes_the_same_documents() -> None:
    again = dataset(TODAY)
    for spec in TABLE:
        assert documents(spec, again) == documents(spec)


def test_another_day_makes_the_same_documents_with_other_dates() -> None:
    earlier = dataset(TODAY - timedelta(days=100))
    for spec in TABLE:
        timeless = [without_times(document) for document in documents(spec, earlier)]
        assert timeless == [without_times(document) for document in documents(spec)]


def without_times(document: Document) -> Document:
    return {name: value for name, value in document.items() if not isinstance(value, datetime)}


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
def test_ids_count_from_those_of_the_examples(spec: Spec) -> None:
    nouns = {USERS: "user", JOBS: "job", MATCHES: "match", SEARCHES: "search", STATS: "stats", RUNS: "run"}
    first = int(EXAMPLE_IDS[nouns.get(spec, "interaction")], 16)
    assert [int(str(document["_id"]), 16) - first for document in documents(spec)] == list(
        range(len(DATA[spec]))
    )


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
def test_every_document_satisfies_its_model_and_names_parents_that_exist(spec: Spec) -> None:
    for document in documents(spec):
        born = {"created_at": TODAY, **document, "id": document["_id"]}
        spec.model.model_validate({name: born[name] for name in spec.model.model_fields if name in born})
        assert all(document[field] in BY_ID for field in spec.belongs_to)


@pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
def test_nothing_lies_in_the_future_nor_before_what_it_is_about(spec: Spec) -> None:
    for document in documents(spec):
        times = [value for value in document.values() if isinstance(value, datetime)]
        parents = [BY_ID[document[field]]["created_at"] for field in spec.belongs_to]
        assert all(moment <= TODAY for moment in times)
        assert all(moment >= parent for moment in times for parent in parents)


def test_better_skills_make_better_matches() -> None:
    scores = defaultdict(list)
    for match in documents(MATCHES):
        matched = match["match_details"]["skills_matched"]
        asked = BY_ID[match["job_id"]]["skills_required"]
        assert sorted(matched + match["match_details"]["skills_missing"]) == sorted(asked)
        assert set(matched) <= set(BY_ID[match["user_id"]]["preferences"]["skills"])
        scores[round(4 * len(matched) / len(asked))].append(match["relevancy_score"])

    means = [fmean(scores[quarter]) for quarter in sorted(scores)]
    assert means == sorted(means)
    assert means[-1] > 0.75


def test_stats_agree_with_what_users_did() -> None:
    done = Counter((each["user_id"], each["interaction_type"]) for each in documents(INTERACTIONS))
    missed: dict[ObjectId, Counter[str]] = defaultdict(Counter)
    for match in documents(MATCHES):
        missed[match["user_id"]].update(match["match_details"]["skills_missing"])
    for stats in documents(STATS):
        user = stats["user_id"]
        assert stats["jobs_viewed"] == done[user, "viewed"]
        assert stats["jobs_saved"] == done[user, "saved"]
        assert missed[user][stats["top_missing_skill"]] == max(missed[user].values())


def test_postings_vary_as_real_ones_do() -> None:
    jobs = documents(JOBS)
    active = sum(job["is_active"] for job in jobs)
    assert 250 < active < 380
    assert {job["remote_type"] for job in jobs} == {"remote", "hybrid", "onsite"}
    assert len({job["source_platform"] for job in jobs}) >= 5
    assert len({job["salary_range"]["currency"] for job in jobs if "salary_range" in job}) >= 5
    assert any("salary_range" not in job for job in jobs)
    assert any("ml_features" not in job for job in jobs)


def test_lead_postings_pay_more_than_junior_ones() -> None:
    def pay(prefix: str) -> float:
        jobs = [job for job in documents(JOBS) if job["title"].startswith(prefix)]
        ranges = [job["salary_range"] for job in jobs if "salary_range" in job]
        return fmean(each["min"] for each in ranges if each["currency"] == "USD")

    assert pay("Lead ") > pay("Senior ") > pay("Junior ")


# The command


@pytest.fixture
def say(mongo: Mongo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command about the database of the app under test."""
    monkeypatch.setenv("MONGODB_URI", mongo.settings.uri)

    async def typed(*words: str) -> tuple[int, str, str]:
        status = await asyncio.to_thread(main, [*words, "--database", mongo.db.name])
        out, err = capsys.readouterr()
        return status, out, err

    return typed


async def test_demo_fills_an_empty_database_and_says_with_what(say: Say, mongo: Mongo) -> None:
    status, out, _ = await say("demo", "--json")
    assert status == 0
    assert json.loads(out) == {
        "database": mongo.db.name,
        "written": {spec.name: len(DATA[spec]) for spec in TABLE},
    }
    for spec in TABLE:
        collection = Collection(mongo, spec)
        assert await collection.count({}) == len(DATA[spec])
        assert await collection.count({"revision": 1}) == len(DATA[spec])


async def test_demo_refuses_a_database_with_something_in_it(say: Say, mongo: Mongo, client: Client) -> None:
    user = await client.user()

    status, _, err = await say("demo")

    assert status == 1
    assert f"{mongo.db.name} is not empty: 1 in users, 1 in user_stats." in err
    assert "aijobhunt demo --yes" in err
    assert [each["id"] for each in (await client.get("/users/")).json()] == [user["id"]]


async def test_with_yes_it_replaces_what_is_the_apps_and_nothing_else(
    say: Say, mongo: Mongo, client: Client
) -> None:
    user = await client.user()
    try:
        await mongo.db["strangers"].insert_one({"name": "Ada"})

        status, out, err = await say("demo", "--yes")

        assert status == 0
        assert f"Replacing what is in {mongo.db.name}: 1 in users, 1 in user_stats." in err
        assert "Filled" in out
        assert await mongo.db["strangers"].count_documents({}) == 1
        assert (await client.get(f"/users/{user['id']}")).status_code == 404
        assert await mongo.db["users"].count_documents({}) == len(DATA[USERS])
    finally:
        await mongo.db.drop_collection("strangers")


async def test_with_an_index_in_the_way_nothing_is_replaced(say: Say, mongo: Mongo, client: Client) -> None:
    user = await client.user()
    await mongo.db["jobs"].drop_index("external_id_1")
    await mongo.db["jobs"].create_index("external_id", name="external_id_1")
    try:
        status, _, err = await say("demo", "--yes")
        assert status == 1
        assert "jobs: index external_id_1" in err
        assert (await client.get(f"/users/{user['id']}")).status_code == 200
    finally:
        await mongo.db["jobs"].drop_index("external_id_1")
        assert (await say("init-db"))[0] == 0


async def test_the_docs_reader_meets_the_first_of_each_first(say: Say, client: Client) -> None:
    await say("demo")
    user, job = EXAMPLE_IDS["user"], EXAMPLE_IDS["job"]
    assert (await client.get("/users/")).json()[0]["id"] == user
    assert (await client.get("/jobs/")).json()[0]["id"] == job
    for of_them in (f"/job-matches/user/{user}", f"/job-matches/job/{job}", f"/interactions/user/{user}"):
        assert (await client.get(of_them)).json()


async def test_every_example_of_the_openapi_document_works_as_it_stands(say: Say, client: Client) -> None:
    await say("demo")
    document = (await client.get("/openapi.json")).json()
    failures = []
    for method, path, body in examples(document):
        answer = await client.request(method, path, json=body)
        if answer.is_error:
            failures.append((method, path, answer.status_code, answer.text))
    assert failures == []


def examples(document: Json) -> list[tuple[str, str, Json | list[Json] | None]]:
    """What "try it out" sends: in the end what removes, children before their parents."""
    requests = [
        (method, path.format_map(parameters(operation)), body(document, operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return sorted(
        requests, key=lambda request: (request[0] == "delete", request[1].startswith(("/users/", "/jobs/")))
    )


def parameters(operation: Json) -> Json:
    given = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
    return {one["name"]: one["schema"]["examples"][0] for one in given}


def body(document: Json, operation: Json) -> Json | list[Json] | None:
    if "requestBody" not in operation:
        return None
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    of_one = schema.get("items", schema)
    example: Json = document["components"]["schemas"][of_one["$ref"].rpartition("/")[2]]["examples"][0]
    return [example] if "items" in schema else example
