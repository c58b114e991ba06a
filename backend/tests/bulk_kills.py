"""Kills of the app in the middle of a bulk call, which is then sent again until it is through."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import httpx
from bson import ObjectId

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.db.schema import ANSWERS, STEPS
from backend.app.models.base import now
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.consistency import orphans, users_without_stats
from backend.tests.kills import SECONDS_FOR_THE_LOCKS, started
from backend.tests.processes import app_process

ITEMS = 3000
USERS = 25
SOURCE = "LinkedIn"


@dataclass(frozen=True)
class Upload:
    """A bulk call of lines, with what it will have made when it is through."""

    path: str
    collection: str
    items: Sequence[Json]
    key: str | None
    run: str | None = None

    async def send(self, client: Client) -> httpx.Response:
        query = {"run_id": self.run} if self.run else {}
        return await client.bulk(self.path, self.items, as_lines=True, key=self.key, **query)

    async def stored(self, mongo: Mongo) -> int:
        return await mongo[self.collection].count_documents({})

    async def end_lease(self, mongo: Mongo) -> None:
        """As if the time had gone by: who sends it again need not wait for it.

        It waits for the locks of the app that was killed, which MongoDB ends.
        """
        if found := await mongo[ANSWERS.name].find_one({"_id": self.key}):
            this = {"_id": self.key, "holder": found.get("holder")}
            await mongo[ANSWERS.name].update_one(this, {"$set": {"until": now() - timedelta(seconds=1)}})


Make = Callable[[Client, str | None], Awaitable[Upload]]


async def postings(client: Client, key: str | None) -> Upload:
    """Of an ingest run."""
    items = [samples.job(source_platform=SOURCE) for _ in range(ITEMS)]
    run = (await client.run(source_platform=SOURCE))["id"]
    return Upload("/jobs/", "jobs", items, key, run)


async def matches(client: Client, key: str | None) -> Upload:
    """Of some users, each with many of the postings."""
    emails = [(await client.user())["email"] for _ in range(USERS)]
    jobs = [samples.job() for _ in range(ITEMS // USERS)]
    assert (await client.bulk("/jobs/", jobs, as_lines=True)).status_code == 200
    items = [
        {
            "user_email": email,
            "job_external_id": job["external_id"],
            "relevancy_score": 0.5,
            "match_details": {"skills_missing": [f"skill {random.randrange(9)}"]},
        }
        for job in jobs
        for email in emails
    ]
    return Upload("/job-matches/", "job_matches", items, key)


KINDS: Sequence[tuple[Make, bool]] = tuple(product((postings, matches), (True, False)))
"""What is sent, and whether under a key."""


async def repeated_in_bulk(uri: str, driver: str, times: int) -> list[str]:
    """Kill the app so many times, at random moments of a call of each kind, with a key and without."""
    database = f"aijobhunt_bulk_kills_{driver}"
    settings = Settings().model_copy(update={"mongodb_uri": uri, "mongo_driver": driver})
    environment = {"MONGODB_URI": uri, "PROD_DB": database, "MONGO_DRIVER": driver}
    outcomes = []
    async with Mongo(settings, database) as mongo:
        for make, with_key in KINDS:
            undisturbed = await duration(mongo, environment, make, with_key=with_key)
            kind = f"{make.__name__} {'under' if with_key else 'without'} a key"
            print(f"  {kind}, undisturbed: {undisturbed * 1000:.0f} ms", flush=True)
            for _ in range(times):
                after = random.uniform(0, undisturbed)
                outcomes.append(await kill_in_bulk(mongo, environment, make, after, with_key=with_key))
                print(f"  {kind}, {outcomes[-1]}", flush=True)
        await mongo.client.drop_database(database)
    return outcomes


async def duration(mongo: Mongo, environment: dict[str, str], make: Make, *, with_key: bool) -> float:
    """Seconds that a call takes when it is let be."""
    await mongo.client.drop_database(mongo.db.name)
    async with AsyncExitStack() as stack:
        client = await started(stack, environment)
        upload = await make(client, new_key(with_key))
        began = time.monotonic()
        assert (await upload.send(client)).status_code == 200
        return time.monotonic() - began


async def kill_in_bulk(
    mongo: Mongo, environment: dict[str, str], make: Make, after: float, *, with_key: bool
) -> str:
    """Kill the app so long into a call, start it again, and send the same until it is through."""
    await mongo.client.drop_database(mongo.db.name)
    async with AsyncExitStack() as stack:
        app = stack.enter_context(app_process(environment))
        app.await_answer()
        client = await stack.enter_async_context(Client(base_url=app.url, timeout=60))
        upload = await make(client, new_key(with_key))
        sending = asyncio.create_task(upload.send(client))
        # The moment of the kill is what this is about: nothing is waited for.
        await asyncio.sleep(after)
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
        heard = (await asyncio.gather(sending, return_exceptions=True))[0]
    stood = await upload.stored(mongo)
    async with AsyncExitStack() as stack:
        client = await started(stack, environment)
        began = time.monotonic()
        answer, tries = await through(upload, client, mongo)
        seconds = time.monotonic() - began
        if isinstance(heard, httpx.Response):
            assert heard.status_code == 200
        if upload.key:
            await check_once(upload, client, mongo, answer, heard)
        await check_whole(upload, client, mongo)
    summary = answer.json()["summary"]
    assert (summary["updated"], summary["rejected"]) == (0, 0)
    # What stood and nobody could answer for is found unchanged, unless there is a key to remember it.
    assert summary["created"] + summary["unchanged"] == ITEMS
    assert summary["unchanged"] >= (0 if upload.key else stood)
    return (
        f"after {after * 1000:5.0f} ms: {stood:4} stood, through in {seconds:4.1f} s "
        f"({', '.join(f'{count} x {code}' for code, count in tries.items()) or 'at once'}), "
        f"{summary['created']} created and {summary['unchanged']} unchanged"
    )


def new_key(with_key: bool) -> str | None:
    return str(ObjectId()) if with_key else None


async def through(upload: Upload, client: Client, mongo: Mongo) -> tuple[httpx.Response, Counter[str]]:
    """The answer, and with which codes it was put off before."""
    tries = Counter[str]()
    end = time.monotonic() + SECONDS_FOR_THE_LOCKS
    while (answer := await upload.send(client)).status_code != 200:
        code = answer.json()["code"]
        assert code in ("in_progress", "unavailable", "overdue"), answer.text
        assert time.monotonic() < end, answer.text
        tries[code] += 1
        await upload.end_lease(mongo)
    return answer, tries


async def check_once(
    upload: Upload, client: Client, mongo: Mongo, answer: httpx.Response, heard: object
) -> None:
    """Under a key: as if it had been sent once and nothing had happened."""
    assert answer.json()["summary"] == {"created": ITEMS, "updated": 0, "unchanged": 0, "rejected": 0}
    if isinstance(heard, httpx.Response):
        assert heard.content == answer.content
        assert answer.headers["idempotent-replayed"] == "true"
    again = await upload.send(client)
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    if upload.run:
        run = (await client.get(f"/ingest-runs/{upload.run}")).json()
        assert run["counts"] == answer.json()["summary"]
    left = await mongo[STEPS.name].count_documents({})
    # Killed between the answer and its tidying up, the steps wait for their time.
    assert left == 0 or "idempotent-replayed" in answer.headers


async def check_whole(upload: Upload, client: Client, mongo: Mongo) -> None:
    """Every item once, never rewritten, with its parents, seen by its run, counted in the stats."""
    assert await upload.stored(mongo) == ITEMS
    assert await mongo[upload.collection].count_documents({"revision": 1}) == ITEMS
    assert await orphans(mongo) == []
    assert await users_without_stats(mongo) == []
    if upload.run:
        assert set(await mongo["jobs"].distinct("external_id")) == {
            item["external_id"] for item in upload.items
        }
        ended = await client.post(f"/ingest-runs/{upload.run}/complete")
        assert (ended.status_code, ended.json()["closed"]) == (200, 0)
        assert await mongo["jobs"].count_documents({"is_active": True}) == ITEMS
    else:
        pairs = {(one["user_id"], one["job_id"]) async for one in mongo["job_matches"].find()}
        assert len(pairs) == ITEMS
        await check_stats(upload, client)


async def check_stats(upload: Upload, client: Client) -> None:
    missing: dict[str, Counter[str]] = {}
    for item in upload.items:
        missing.setdefault(item["user_email"], Counter()).update(item["match_details"]["skills_missing"])
    users = (await client.get("/users/", params={"limit": 1000})).json()
    told = {
        user["email"]: (await client.get(f"/users/{user['id']}/stats")).json()["top_missing_skill"]
        for user in users
    }
    assert told == {
        email: min(counts, key=lambda one: (-counts[one], one)) for email, counts in missing.items()
    }
