"""Ingest runs: a completed one closes exactly what it did not see, and no other closes anything."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextvars import Context
from datetime import timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.ingest_runs import DECIDED, OLDEST, ROUND, Runs
from backend.app.db.mongo import Mongo, Session
from backend.app.db.schema import RUNS, SIGHTINGS
from backend.app.db.transactions import transaction
from backend.app.errors import NotFound, RunNotOpen
from backend.app.models.base import Document, now
from backend.tests import samples
from backend.tests.client import Client, Json

SOURCE = "LinkedIn"
NOTHING = {"created": 0, "updated": 0, "unchanged": 0, "rejected": 0}


@pytest.fixture
def runs(app: FastAPI, mongo: Mongo) -> Runs:
    found: Runs = app.state.collections[RUNS]
    return found


async def postings(mongo: Mongo, count: int, **changes: Any) -> list[ObjectId]:
    """Active ones of the source, unless they are changed."""
    documents = [
        {
            "_id": ObjectId(),
            "external_id": str(ObjectId()),
            "source_platform": SOURCE,
            "posted_date": now(),
            "is_active": True,
            "revision": 1,
            **changes,
        }
        for _ in range(count)
    ]
    await mongo["jobs"].insert_many(documents)
    return [document["_id"] for document in documents]


async def opened(client: Client, runs: Runs, saw: Iterable[ObjectId] = ()) -> ObjectId:
    """A run that has seen some postings."""
    run = ObjectId((await client.run())["id"])
    await runs.saw(run, saw)
    return run


async def complete(client: Client, run: ObjectId, ratio: float | None = None) -> httpx.Response:
    query = "" if ratio is None else f"?max_close_ratio={ratio}"
    return await client.post(f"/ingest-runs/{run}/complete{query}")


async def abort(client: Client, run: ObjectId) -> httpx.Response:
    return await client.post(f"/ingest-runs/{run}/abort")


async def seen_run(client: Client, run: ObjectId) -> Json:
    found: Json = (await client.get(f"/ingest-runs/{run}")).json()
    return found


async def active(mongo: Mongo) -> set[ObjectId]:
    return set(await mongo["jobs"].distinct("_id", {"is_active": True}))


async def all_jobs(mongo: Mongo) -> list[Document]:
    return await mongo["jobs"].find().sort("_id").to_list(None)


async def sightings(mongo: Mongo, run: ObjectId) -> int:
    return await mongo[SIGHTINGS.name].count_documents({"_id.run": run})


def told(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_a_run_is_born_open_and_empty(client: Client) -> None:
    response = await client.post("/ingest-runs/", json={"source_platform": SOURCE, "opened_by": "me"})

    run = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"/ingest-runs/{run['id']}")
    assert run == {
        "id": run["id"],
        "source_platform": SOURCE,
        "opened_by": "me",
        "status": "open",
        "created_at": run["created_at"],
        "ended_at": None,
        "counts": NOTHING,
        "closed": None,
        "rejected_items": [],
    }
    assert await seen_run(client, run["id"]) == run


async def test_runs_are_listed_newest_first(client: Client) -> None:
    made = [await client.run() for _ in range(3)]

    # Within a millisecond the id decides.
    assert (await client.get("/ingest-runs/")).json() == made[::-1]


async def test_a_completed_run_closes_exactly_the_unseen_of_its_source(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    seen, unseen = await postings(mongo, 8), await postings(mongo, 3)
    others = [*await postings(mongo, 2, source_platform="Indeed"), *await postings(mongo, 2)]
    await mongo["jobs"].update_many({"_id": {"$in": others[2:]}}, {"$unset": {"source_platform": ""}})
    closed_before = await postings(mongo, 2, is_active=False)
    run = await opened(client, runs, seen)
    before = {job["_id"]: job for job in await all_jobs(mongo)}

    response = await complete(client, run)

    assert response.status_code == 200
    assert (response.json()["status"], response.json()["closed"]) == ("completed", 3)
    assert response.json()["ended_at"] >= response.json()["created_at"]
    assert await active(mongo) == {*seen, *others}
    after = {job["_id"]: job for job in await all_jobs(mongo)}
    for job in (*seen, *others, *closed_before):
        assert after[job] == before[job]
    for job in unseen:
        assert after[job] == before[job] | {
            "is_active": False,
            "revision": 2,
            "updated_at": after[job]["updated_at"],
        }


async def test_a_run_that_is_never_completed_closes_nothing(client: Client, mongo: Mongo, runs: Runs) -> None:
    stand = await postings(mongo, 5)
    abandoned = await opened(client, runs, stand[:4])

    await complete(client, await opened(client, runs, stand))

    assert await active(mongo) == set(stand)
    assert (await seen_run(client, abandoned))["status"] == "open"


async def test_what_one_run_saw_another_did_not(client: Client, mongo: Mongo, runs: Runs) -> None:
    stand = await postings(mongo, 4)
    await opened(client, runs, stand)

    await complete(client, await opened(client, runs, stand[:3]))

    assert await active(mongo) == set(stand[:3])


async def test_a_crawl_of_two_percent_is_refused_with_the_counts_and_changes_nothing(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 100)
    run = await opened(client, runs, stand[:2])
    jobs, shown = await all_jobs(mongo), await seen_run(client, run)

    response = await complete(client, run)

    assert told(response) == (409, "too_many_to_close")
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.json()["active"], response.json()["would_close"]) == (100, 98)
    assert await all_jobs(mongo) == jobs
    assert await seen_run(client, run) == shown


async def test_a_run_that_was_refused_goes_on_and_is_completed_later(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 10)
    run = await opened(client, runs, stand[:1])
    await complete(client, run)

    await runs.require_open(run)
    await runs.saw(run, stand[1:7])

    assert (await complete(client, run)).json()["closed"] == 3
    assert await active(mongo) == set(stand[:7])


@pytest.mark.parametrize(
    ("count", "unseen", "ratio"),
    [
        (2, 1, None),
        (4, 1, 0.25),
        (100, 29, 0.29),
        (100, 7, 0.07),
        (3, 1, 1 / 3),
        (3, 3, 1),
        (3, 0, 0),
        (0, 0, 0),
    ],
)
async def test_exactly_at_the_ratio_is_allowed(
    client: Client, mongo: Mongo, runs: Runs, count: int, unseen: int, ratio: float | None
) -> None:
    await postings(mongo, 5, source_platform="Indeed")
    stand = await postings(mongo, count) if count else []
    run = await opened(client, runs, stand[unseen:])

    response = await complete(client, run, ratio)

    assert (response.status_code, response.json()["closed"]) == (200, unseen)


@pytest.mark.parametrize(
    ("count", "unseen", "ratio"), [(3, 2, None), (100, 30, 0.29), (1000, 1, 0), (2, 2, 0.99)]
)
async def test_above_the_ratio_is_not(
    client: Client, mongo: Mongo, runs: Runs, count: int, unseen: int, ratio: float | None
) -> None:
    stand = await postings(mongo, count)
    run = await opened(client, runs, stand[unseen:])

    response = await complete(client, run, ratio)

    assert told(response) == (409, "too_many_to_close")
    assert response.json()["would_close"] == unseen


@pytest.mark.parametrize("ratio", ["-0.1", "1.1", "NaN", "inf", "", "half", "1e400"])
async def test_a_ratio_is_a_share(client: Client, runs: Runs, ratio: str) -> None:
    run = await opened(client, runs)

    response = await client.post(f"/ingest-runs/{run}/complete?max_close_ratio={ratio}")

    assert told(response) == (422, "invalid")
    assert response.json()["errors"][0]["pointer"] == "/query/max_close_ratio"
    assert (await seen_run(client, run))["status"] == "open"


async def test_an_aborted_run_closes_nothing_and_is_over(client: Client, mongo: Mongo, runs: Runs) -> None:
    stand = await postings(mongo, 4)
    run = await opened(client, runs, stand[:3])

    first, again, late = await abort(client, run), await abort(client, run), await complete(client, run)

    assert (first.status_code, first.json()["status"], first.json()["closed"]) == (200, "aborted", None)
    assert first.json()["ended_at"] is not None
    assert (again.status_code, again.json()) == (200, first.json())
    assert told(late) == (409, "run_not_open")
    assert await active(mongo) == set(stand)


async def test_a_completed_run_stays_as_it_is(client: Client, mongo: Mongo, runs: Runs) -> None:
    stand = await postings(mongo, 4)
    run = await opened(client, runs, stand[:3])
    first = await complete(client, run)
    later = await postings(mongo, 2)

    again, aborted = await complete(client, run, 0), await abort(client, run)

    assert (again.status_code, again.json()) == (200, first.json())
    assert told(aborted) == (409, "run_not_open")
    assert await active(mongo) == {*stand[:3], *later}


@pytest.mark.parametrize("end", [complete, abort])
async def test_a_run_that_is_over_takes_no_batch(client: Client, mongo: Mongo, runs: Runs, end: Any) -> None:
    run = await opened(client, runs)
    await end(client, run)

    with pytest.raises(RunNotOpen):
        await runs.require_open(run)


async def test_a_run_that_is_not_there_takes_no_batch(runs: Runs) -> None:
    with pytest.raises(NotFound, match="IngestRun not found"):
        await runs.require_open(ObjectId())


@pytest.mark.parametrize("verb", ["complete", "abort"])
async def test_a_run_that_is_not_there_cannot_end(client: Client, verb: str) -> None:
    absent = await client.post(f"/ingest-runs/{ObjectId()}/{verb}")
    malformed = await client.post(f"/ingest-runs/x/{verb}/")

    assert (absent.status_code, absent.json()["detail"]) == (404, "IngestRun not found")
    assert (malformed.status_code, malformed.json()["detail"]) == (400, "Invalid run ID")


@pytest.mark.parametrize(("end", "left"), [(complete, 0), (abort, 0)])
async def test_what_a_run_saw_is_forgotten_when_it_ends(
    client: Client, mongo: Mongo, runs: Runs, end: Any, left: int
) -> None:
    stand = await postings(mongo, 5)
    run, other = await opened(client, runs, stand), await opened(client, runs, stand)

    await end(client, run)

    assert (await sightings(mongo, run), await sightings(mongo, other)) == (left, 5)


async def broken_off(runs: Runs, run: ObjectId, **fields: Any) -> None:
    """As an app that was killed leaves a run."""
    await runs.documents.update_one({"_id": run}, {"$set": {"status": "completing", ROUND: 1, **fields}})


async def test_a_run_that_broke_off_while_closing_is_taken_up(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 10)
    run = await opened(client, runs, stand[:2])
    await mongo["jobs"].update_many({"_id": {"$in": stand[6:]}}, {"$set": {"is_active": False}})
    await broken_off(runs, run, closed=4, **{DECIDED: True})

    aborted, response = await abort(client, run), await complete(client, run)

    assert told(aborted) == (409, "run_not_open")
    assert (response.json()["status"], response.json()["closed"]) == ("completed", 8)
    assert await active(mongo) == set(stand[:2])


async def test_a_run_that_broke_off_while_counting_is_taken_up(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 10)
    good, bad, given_up = [await opened(client, runs, stand[:seen]) for seen in (9, 1, 9)]
    for run in (good, bad, given_up):
        await broken_off(runs, run)

    assert (await abort(client, given_up)).json()["status"] == "aborted"
    assert told(await complete(client, bad)) == (409, "too_many_to_close")
    assert await active(mongo) == set(stand)
    assert (await complete(client, good)).json()["closed"] == 1


async def test_completing_at_once_closes_once_and_answers_alike(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 3500)
    seen = set(random.Random(3).sample(stand, 2000))
    run = await opened(client, runs, seen)

    answers = await asyncio.gather(*(complete(client, run) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json()["closed"] == 1500
    assert await active(mongo) == seen
    assert await sightings(mongo, run) == 0


async def test_those_who_would_refuse_and_those_who_would_not_agree_in_the_end(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 1200)
    run = await opened(client, runs, stand[:300])

    answers = await asyncio.gather(*(complete(client, run, ratio) for ratio in (0.5, 1, 0.2, 1, 0.5, 0)))

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answers[1].status_code, answers[3].status_code} == {200}
    assert (await seen_run(client, run))["closed"] == 900
    assert await active(mongo) == set(stand[:300])


async def test_of_ending_and_giving_up_at_once_one_comes_first(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    for _ in range(5):
        await mongo["jobs"].delete_many({})
        stand = await postings(mongo, 20)
        run = await opened(client, runs, stand[:15])

        completed, aborted = await asyncio.gather(complete(client, run), abort(client, run))

        assert sorted((completed.status_code, aborted.status_code)) == [200, 409]
        left = 15 if completed.status_code == 200 else 20
        assert await active(mongo) == set(stand[:left])


async def test_a_run_of_long_ago_can_be_given_up_and_not_completed(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 2)
    assert SIGHTINGS.kept is not None
    assert timedelta() < OLDEST < SIGHTINGS.kept
    run = await opened(client, runs, stand[:1])
    long_ago = {"created_at": now() - OLDEST - timedelta(seconds=1)}
    await runs.documents.update_one({"_id": run}, {"$set": long_ago})

    assert told(await complete(client, run)) == (409, "run_not_open")
    assert await active(mongo) == set(stand)
    assert (await abort(client, run)).status_code == 200


async def test_what_comes_in_while_a_run_is_completed_is_not_its_to_close(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 5)
    run = await opened(client, runs, stand)
    # Chosen, noted and let in; written when the run is over already.
    coming = ObjectId()
    await runs.saw(run, [coming])
    await runs.require_open(run)

    await complete(client, run)
    await mongo["jobs"].insert_one({"_id": coming, "source_platform": SOURCE, "is_active": True})

    assert await active(mongo) == {*stand, coming}


@pytest.mark.parametrize("in_transactions", [False, True])
async def test_no_posting_that_a_batch_answers_for_is_closed_by_its_run(
    client: Client, mongo: Mongo, runs: Runs, in_transactions: bool
) -> None:
    chance = random.Random(11)
    for _ in range(3):
        await mongo["jobs"].delete_many({})
        stand = await postings(mongo, 20)
        run = await opened(client, runs)
        # Most of a batch is new, and takes longer to note than it takes to complete the run.
        batches = [[*(ObjectId() for _ in range(300)), job] for job in stand]
        waits, when = [0.1 * chance.random() for _ in batches], 0.1 * chance.random()

        async def later(batch: Sequence[ObjectId], wait: float, run: ObjectId = run) -> ObjectId | None:
            await asyncio.sleep(wait)
            return batch[-1] if await let_in(mongo, runs, run, batch, in_transactions) else None

        async def end(run: ObjectId = run, when: float = when) -> httpx.Response:
            await asyncio.sleep(when)
            return await complete(client, run, 1)

        ended, let = await asyncio.gather(end(), asyncio.gather(*map(later, batches, waits)))

        answered, left = {job for job in let if job}, await active(mongo)
        assert ended.status_code == 200
        assert answered <= left
        assert ended.json()["closed"] == 20 - len(left)
        assert (await seen_run(client, run))["counts"]["unchanged"] == len(answered)


async def let_in(
    mongo: Mongo, runs: Runs, run: ObjectId, batch: Sequence[ObjectId], in_transaction: bool
) -> bool:
    """A batch that has nothing to write but that its posting was there."""

    async def steps(session: Session | None = None) -> None:
        await runs.saw(run, batch, session)
        await runs.require_open(run, session)
        await runs.add_counts(run, {"unchanged": 1}, [], session)

    try:
        await (transaction(mongo, steps) if in_transaction else steps())
    except RunNotOpen:
        return False
    return True


async def test_a_batch_whose_sightings_nobody_saw_yet_does_not_stand_beside_the_completion(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    stand = await postings(mongo, 3)
    run = await opened(client, runs)
    attempts: list[int] = []

    async def steps(session: Session) -> None:
        await runs.saw(run, stand, session)
        await runs.require_open(run, session)
        if not attempts:
            attempts.append(1)
            # Apart from the transaction, as another process would.
            await asyncio.create_task(complete(client, run, 1), context=Context())
        await runs.add_counts(run, NOTHING, [], session)

    with pytest.raises(RunNotOpen):
        await transaction(mongo, steps)

    assert (await seen_run(client, run))["closed"] == 3


@pytest.mark.parametrize("in_transactions", [False, True])
async def test_the_same_sighting_many_times_at_once_is_one(
    client: Client, mongo: Mongo, runs: Runs, in_transactions: bool
) -> None:
    run, ids = await opened(client, runs), [ObjectId() for _ in range(50)]

    async def note(session: Session | None = None) -> None:
        await runs.saw(run, ids + ids, session)

    await asyncio.gather(*(transaction(mongo, note) if in_transactions else note() for _ in range(10)))

    assert await sightings(mongo, run) == 50


async def test_the_counts_of_batches_add_up_and_the_first_hundred_rejected_are_kept(
    client: Client, runs: Runs
) -> None:
    run = await opened(client, runs)
    fault = {"pointer": "/title", "detail": "This field is required", "code": "missing"}
    rejected: list[Document] = [
        {"index": index, "external_id": None if index % 2 else f"job-{index}", "errors": [fault]}
        for index in range(150)
    ]

    for batch in (rejected[:70], rejected[70:], rejected[:1]):
        summary = {"created": 1, "updated": 2, "unchanged": 0, "rejected": len(batch)}
        await runs.add_counts(run, summary, batch)

    shown = await seen_run(client, run)
    assert shown["counts"] == {"created": 3, "updated": 6, "unchanged": 0, "rejected": 151}
    assert shown["rejected_items"] == rejected[:100]


async def test_a_name_that_was_refused_for_its_length_is_kept_in_part(client: Client, runs: Runs) -> None:
    run = await opened(client, runs)

    await runs.add_counts(run, {"rejected": 1}, [{"index": 0, "external_id": "x" * 10**6, "errors": []}])

    assert (await seen_run(client, run))["rejected_items"][0]["external_id"] == "x" * 255


@pytest.mark.parametrize("verb", ["complete", "abort"])
async def test_under_an_idempotency_key_the_first_answer_is_given_again(
    client: Client, mongo: Mongo, runs: Runs, verb: str
) -> None:
    run, key = await opened(client, runs), {"Idempotency-Key": str(ObjectId())}

    first = await client.post(f"/ingest-runs/{run}/{verb}", headers=key)
    await runs.documents.delete_one({"_id": run})
    again = await client.post(f"/ingest-runs/{run}/{verb}/", headers=key)
    other = await client.post(f"/ingest-runs/{ObjectId()}/{verb}", headers=key)
    unfit = await client.post(f"/ingest-runs/{run}/{verb}", headers={"Idempotency-Key": "x" * 256})

    assert (first.status_code, first.headers.get("idempotent-replayed")) == (200, None)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert told(other) == (422, "idempotency_key_reused")
    assert told(unfit) == (400, "invalid_idempotency_key")


async def test_a_refusal_to_complete_uses_up_no_key(client: Client, mongo: Mongo, runs: Runs) -> None:
    stand = await postings(mongo, 4)
    run, key = await opened(client, runs), {"Idempotency-Key": str(ObjectId())}

    refused = await client.post(f"/ingest-runs/{run}/complete", headers=key)
    await runs.saw(run, stand)
    completed = await client.post(f"/ingest-runs/{run}/complete", headers=key)

    assert (refused.status_code, completed.status_code) == (409, 200)


# Through bulk calls


async def crawled(client: Client, run: ObjectId, items: list[Json], query: str = "") -> httpx.Response:
    return await client.post(f"/jobs/bulk?run_id={run}{query}", json=items)


def statuses(response: httpx.Response) -> list[str]:
    assert response.status_code in (200, 207), response.text
    return [item["status"] for item in response.json()["items"]]


async def test_a_run_is_told_what_its_bulk_calls_came_to(client: Client, mongo: Mongo, runs: Runs) -> None:
    stand = [samples.job(source_platform=SOURCE) for _ in range(6)]
    await client.post("/jobs/bulk", json=stand)
    run = await opened(client, runs)
    same, other, bad, unseen, again, _ = stand

    first = await crawled(client, run, [same, {**other, "title": "Changed"}, samples.job()])
    second = await crawled(client, run, [{**bad, "title": ""}, {"title": "Nobody's"}, again])
    ended = await complete(client, run)

    assert statuses(first) == ["unchanged", "updated", "created"]
    assert statuses(second) == ["rejected", "rejected", "unchanged"]
    assert ended.json()["counts"] == {"created": 1, "updated": 1, "unchanged": 2, "rejected": 2}
    told = [(one["index"], one["external_id"]) for one in ended.json()["rejected_items"]]
    assert told == [(0, bad["external_id"]), (1, None)]
    assert ended.json()["rejected_items"][0]["errors"][0]["pointer"] == "/title"
    # Refused, and yet it was there: the crawl did see it.
    assert ended.json()["closed"] == 2
    gone = {job["external_id"] for job in (await client.get("/jobs/?is_active=false")).json()}
    assert gone == {unseen["external_id"], stand[5]["external_id"]}


async def test_a_posting_that_is_seen_again_comes_back(client: Client, mongo: Mongo, runs: Runs) -> None:
    items = [samples.job(source_platform=SOURCE) for _ in range(2)]
    await crawled(client, await opened(client, runs), items)
    await complete(client, await opened(client, runs), 1)
    assert await active(mongo) == set()

    back = await crawled(client, await opened(client, runs), items[:1])

    assert statuses(back) == ["updated"]
    assert [job["external_id"] for job in (await client.get("/jobs/")).json()] == [items[0]["external_id"]]


@pytest.mark.parametrize("end", [complete, abort])
@pytest.mark.parametrize("query", ["", "&atomic=true", "&dry_run=true"])
async def test_a_bulk_call_of_a_run_that_is_over_is_refused_and_writes_nothing(
    client: Client, mongo: Mongo, runs: Runs, end: Any, query: str
) -> None:
    run = await opened(client, runs)
    await end(client, run)

    response = await crawled(client, run, [samples.job()], query)

    assert told(response) == (409, "run_not_open")
    assert await all_jobs(mongo) == []


async def test_a_dry_run_has_seen_nothing(client: Client, mongo: Mongo, runs: Runs) -> None:
    item = samples.job(source_platform=SOURCE)
    await client.post("/jobs/bulk", json=[item])
    run = await opened(client, runs)

    assert statuses(await crawled(client, run, [item], "&dry_run=true")) == ["unchanged"]

    assert await sightings(mongo, run) == 0
    assert (await seen_run(client, run))["counts"] == NOTHING


@pytest.mark.parametrize("query", ["", "&atomic=true"])
@pytest.mark.parametrize("when", ["just before it is let in", "just after"])
async def test_a_bulk_call_and_a_completion_beside_it_agree(
    client: Client, mongo: Mongo, runs: Runs, monkeypatch: pytest.MonkeyPatch, query: str, when: str
) -> None:
    items = [samples.job(source_platform=SOURCE) for _ in range(3)]
    await client.post("/jobs/bulk", json=items)
    run = await opened(client, runs)
    let_in = runs.require_open
    ended: list[httpx.Response] = []

    async def between(run_id: ObjectId, session: Session | None = None) -> None:
        async def end() -> None:
            if not ended:
                # Apart from any transaction, as another process would.
                task = asyncio.create_task(complete(client, run, 1), context=Context())
                ended.append(await task)

        if when == "just after":
            await let_in(run_id, session)
            await end()
        else:
            await end()
            await let_in(run_id, session)

    monkeypatch.setattr(runs, "require_open", between)
    response = await crawled(client, run, [*items[:2], samples.job()], query)

    assert ended[0].status_code == 200
    left = {job["external_id"] for job in (await client.get("/jobs/")).json()}
    if response.status_code == 200:
        assert {item["external_id"] for item in response.json()["items"]} <= left
    else:
        assert told(response) == (409, "run_not_open")
        assert await mongo["jobs"].count_documents({}) == 3


async def test_crawlers_at_once_and_a_completion_lose_nothing(
    client: Client, mongo: Mongo, runs: Runs
) -> None:
    items = [samples.job(source_platform=SOURCE) for _ in range(400)]
    await client.post("/jobs/bulk", json=items)
    run = await opened(client, runs)
    parts = [[*items[start : start + 40], samples.job()] for start in range(0, 400, 40)]

    async def later(part: list[Json], number: int) -> httpx.Response:
        await asyncio.sleep(0.01 * number)
        return await crawled(client, run, part, "&atomic=true" if number % 2 else "")

    async def end() -> httpx.Response:
        await asyncio.sleep(0.05)
        return await complete(client, run, 1)

    answers, ended = await asyncio.gather(asyncio.gather(*map(later, parts, range(len(parts)))), end())

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert ended.status_code == 200
    answered = {
        item["external_id"]
        for answer in answers
        if answer.status_code == 200
        for item in answer.json()["items"]
    }
    left = {job["external_id"] for job in await all_jobs(mongo) if job["is_active"]}
    assert answered <= left
