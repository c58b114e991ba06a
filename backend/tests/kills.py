"""Kills of the app in the middle of its work, and what must be true when it runs again."""

import asyncio
import random
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
from bson import ObjectId

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.models.base import now
from backend.tests import samples
from backend.tests.client import Client
from backend.tests.consistency import drifts, orphans, users_without_stats
from backend.tests.processes import AppProcess, app_process

MATCHES = 5000
# A transaction of an app that was killed holds its locks until the server ends it, after ten seconds here.
SECONDS_FOR_THE_LOCKS = 30.0


@dataclass(frozen=True)
class Kill:
    """What one kill came to."""

    after: float
    """Seconds into the removal."""
    outcome: str
    ready: float
    """Seconds until the app was ready again."""
    removed: float
    """Seconds from then until a removal, tried again, was answered."""
    tries: list[int]

    def __str__(self) -> str:
        return (
            f"after {self.after * 1000:5.0f} ms: {self.outcome:7}  ready in {self.ready:.1f} s, "
            f"removed after {self.removed:4.1f} s ({', '.join(map(str, self.tries)) or 'no try'})"
        )


async def repeated(uri: str, driver: str, times: int) -> list[Kill]:
    """Kill the app so many times, at random moments of removals that nothing disturbs."""
    database = f"aijobhunt_kills_{driver}"
    settings = Settings().model_copy(update={"mongodb_uri": uri, "mongo_driver": driver})
    environment = {"MONGODB_URI": uri, "PROD_DB": database, "MONGO_DRIVER": driver}
    kills = []
    async with Mongo(settings, database) as mongo:
        await mongo.client.drop_database(database)
        undisturbed = await duration(mongo, environment)
        print(f"  undisturbed: {undisturbed * 1000:.0f} ms", flush=True)
        for _ in range(times):
            kills.append(await kill(mongo, environment, random.uniform(0, undisturbed * 1.2)))
            print(f"  {kills[-1]}", flush=True)
        for _ in range(times):
            # Among others it takes longer.
            crowded = await kill_in_a_crowd(mongo, environment, random.uniform(0, undisturbed * 3))
            print(f"  in a crowd, {crowded}", flush=True)
        await mongo.client.drop_database(database)
    return kills


async def duration(mongo: Mongo, environment: dict[str, str]) -> float:
    """Seconds that a removal takes when it is let be."""
    async with AsyncExitStack() as stack:
        client = await started(stack, environment)
        user = await with_matches(client, mongo)
        began = time.monotonic()
        assert (await client.delete(f"/users/{user}")).status_code == 204
        return time.monotonic() - began


async def kill(mongo: Mongo, environment: dict[str, str], after: float) -> Kill:
    """Kill the app so long into a removal, check the data, start it again and remove for good."""
    async with AsyncExitStack() as stack:
        app = stack.enter_context(app_process(environment))
        app.await_answer()
        client = await stack.enter_async_context(Client(base_url=app.url, timeout=60))
        user = await with_matches(client, mongo)
        removal = asyncio.create_task(client.delete(f"/users/{user}"))
        # The moment of the kill is what this is about: nothing is waited for.
        await asyncio.sleep(after)
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
        answered = not isinstance((await asyncio.gather(removal, return_exceptions=True))[0], Exception)
    outcome = await whole_or_gone(mongo, ObjectId(user))
    assert outcome == "gone" or not answered, "A removal that was answered did not stand"
    ready, removed, tries = await removed_after_all(environment, user)
    assert await whole_or_gone(mongo, ObjectId(user)) == "gone"
    return Kill(after, outcome, ready, removed, tries)


async def kill_in_a_crowd(mongo: Mongo, environment: dict[str, str], after: float) -> str:
    """Kill the app while others add to what it removes; what comes too late is swept up at the next start."""
    async with AsyncExitStack() as stack:
        app = stack.enter_context(app_process(environment))
        app.await_answer()
        client = await stack.enter_async_context(Client(base_url=app.url, timeout=60))
        user = await with_matches(client, mongo)
        crowd = [asyncio.create_task(adding(client, mongo, user)) for _ in range(8)]
        removal = asyncio.create_task(client.delete(f"/users/{user}"))
        await asyncio.sleep(after)
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
        await asyncio.gather(removal, *crowd, return_exceptions=True)
    left = len(await orphans(mongo))
    async with AsyncExitStack() as stack:
        await started(stack, environment)
        end = time.monotonic() + SECONDS_FOR_THE_LOCKS
        while await orphans(mongo):
            assert time.monotonic() < end, "Orphans stay"
            await asyncio.sleep(0.05)
    assert await users_without_stats(mongo) == []
    assert await drifts(mongo) == []
    stands = await mongo["users"].find_one({"_id": ObjectId(user)})
    return f"after {after * 1000:5.0f} ms: {'whole' if stands else 'gone':7}  {left} swept up"


async def adding(client: Client, mongo: Mongo, user: str) -> None:
    """Add to the user until nobody answers any more."""
    while True:
        job = samples.job() | {"_id": ObjectId()}
        await mongo["jobs"].insert_one(job)
        await client.post("/job-matches/", json=samples.match(user, str(job["_id"])))
        await client.post("/saved-searches/", json=samples.search(user))


@dataclass(frozen=True)
class Post:
    """A request under a key of its own."""

    path: str
    body: dict[str, Any]
    key: str

    async def send(self, client: Client) -> httpx.Response:
        return await client.post(self.path, json=self.body, headers={"Idempotency-Key": self.key})


async def repeated_among_posts(uri: str, driver: str, times: int) -> list[str]:
    """Kill the app so many times, at random moments of a burst of requests that have keys."""
    database = f"aijobhunt_kills_{driver}"
    settings = Settings().model_copy(update={"mongodb_uri": uri, "mongo_driver": driver})
    environment = {"MONGODB_URI": uri, "PROD_DB": database, "MONGO_DRIVER": driver}
    outcomes = []
    async with Mongo(settings, database) as mongo:
        for _ in range(times):
            await mongo.client.drop_database(database)
            outcomes.append(await kill_among_posts(mongo, environment, random.random()))
            print(f"  among posts, {outcomes[-1]}", flush=True)
        await mongo.client.drop_database(database)
    return outcomes


async def kill_among_posts(mongo: Mongo, environment: dict[str, str], share: float) -> str:
    """Kill the app that far into a burst, start it again and send the same: each is done once."""
    async with AsyncExitStack() as stack:
        app = stack.enter_context(app_process(environment))
        app.await_answer()
        client = await stack.enter_async_context(Client(base_url=app.url, timeout=60))
        undisturbed, posts = await burst(client), await burst(client)
        began = time.monotonic()
        await asyncio.gather(*(post.send(client) for post in undisturbed))
        seconds = time.monotonic() - began
        sending = [asyncio.create_task(post.send(client)) for post in posts]
        await asyncio.sleep(share * seconds)
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
        before = await asyncio.gather(*sending, return_exceptions=True)
    async with AsyncExitStack() as stack:
        client = await started(stack, environment)
        after = await asyncio.gather(*(answered(post, client) for post in posts))
    counts = {name: await mongo[name].count_documents({}) for name in MADE_BY_TWO_BURSTS}
    assert counts == MADE_BY_TWO_BURSTS
    assert await orphans(mongo) == []
    assert await users_without_stats(mongo) == []
    assert await drifts(mongo) == []
    heard = [(told, now) for told, now in zip(before, after, strict=True) if isinstance(told, httpx.Response)]
    for told, now_told in heard:
        assert (told.status_code, told.content) == (now_told.status_code, now_told.content)
        assert now_told.headers["idempotent-replayed"] == "true"
    replayed = sum("idempotent-replayed" in answer.headers for answer in after)
    return f"after {share * seconds * 1000:5.0f} ms: {len(heard)} heard of, {replayed} done, of {len(posts)}"


OF_EACH = 8
MADE_BY_TWO_BURSTS = {
    "users": 2 * (OF_EACH + 1),
    "user_stats": 2 * (OF_EACH + 1),
    "jobs": 2 * (OF_EACH + OF_EACH),
    "job_matches": 2 * OF_EACH,
    "user_job_interactions": 2 * OF_EACH,
    "saved_searches": 2 * OF_EACH,
}


async def burst(client: Client) -> list[Post]:
    """Some of every POST, to be sent at once, and the parents that they name, which are there."""
    user = (await client.user())["id"]
    jobs = [(await client.job())["id"] for _ in range(OF_EACH)]
    asked = [
        *(("/users/", samples.user()) for _ in range(OF_EACH)),
        *(("/jobs/", samples.job()) for _ in range(OF_EACH)),
        *(("/job-matches/", samples.match(user, job)) for job in jobs),
        *(("/interactions/", samples.interaction(user, job)) for job in jobs),
        *(("/saved-searches/", samples.search(user)) for _ in range(OF_EACH)),
    ]
    random.shuffle(asked)
    return [Post(path, body, str(ObjectId())) for path, body in asked]


async def answered(post: Post, client: Client) -> httpx.Response:
    """Sent again as long as the locks of the app that was killed keep it from being done."""
    end = time.monotonic() + SECONDS_FOR_THE_LOCKS
    while (answer := await post.send(client)).status_code != 201:
        assert answer.json()["code"] in ("in_progress", "unavailable", "overdue"), answer.text
        assert time.monotonic() < end, answer.text
        await asyncio.sleep(0.05)
    return answer


async def whole_or_gone(mongo: Mongo, user: ObjectId) -> str:
    """The user with everything, or nothing of them."""
    assert await orphans(mongo) == []
    assert await users_without_stats(mongo) == []
    names = ("users", "user_stats", "job_matches", "user_job_interactions", "saved_searches")
    counts = {
        name: await mongo[name].count_documents({"_id" if name == "users" else "user_id": user})
        for name in names
    }
    whole = {
        "users": 1,
        "user_stats": 1,
        "job_matches": MATCHES,
        "user_job_interactions": 1,
        "saved_searches": 1,
    }
    assert counts in (whole, dict.fromkeys(names, 0)), counts
    return "whole" if counts == whole else "gone"


async def removed_after_all(environment: dict[str, str], user: str) -> tuple[float, float, list[int]]:
    async with AsyncExitStack() as stack:
        app = stack.enter_context(app_process(environment))
        ready = app.await_answer()
        client = await stack.enter_async_context(Client(base_url=app.url, timeout=60))
        began, tries = time.monotonic(), list[int]()
        while not tries or tries[-1] in (503, 504):
            assert time.monotonic() - began < SECONDS_FOR_THE_LOCKS, tries
            tries.append((await client.delete(f"/users/{user}")).status_code)
        assert tries[-1] in (204, 404)
        return ready, time.monotonic() - began, tries


async def started(stack: AsyncExitStack, environment: dict[str, str]) -> Client:
    app: AppProcess = stack.enter_context(app_process(environment))
    app.await_answer()
    return await stack.enter_async_context(Client(base_url=app.url, timeout=60))


async def with_matches(client: Client, mongo: Mongo) -> str:
    """A user with one of each child, and five thousand matches more than anybody would post."""
    made = await client.interaction()
    user: str = made["user_id"]
    await client.search(user_id=user)
    match = await client.match(user_id=user, job_id=made["job_id"])
    model: dict[str, Any] = await mongo["job_matches"].find_one({"_id": ObjectId(match["id"])}) or {}
    jobs = [
        {
            **samples.job(),
            "_id": ObjectId(),
            "created_at": now(),
            "posted_date": now(),
            "is_active": True,
            "revision": 1,
        }
        for _ in range(MATCHES - 1)
    ]
    await mongo["jobs"].insert_many(jobs)
    await mongo["job_matches"].insert_many(
        [{**model, "_id": ObjectId(), "job_id": job["_id"]} for job in jobs]
    )
    return user
