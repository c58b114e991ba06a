"""Storms: many requests at once for the same thing, and what must be true when they are over.

Each is a function that the test suite runs a few times inside one process. Run as a program, they go through
two workers of a real server, many times, and are followed by kills of the app in the middle of its work:

    python -m backend.tests.storms --rounds 100 --kills 20 --driver both
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any

import httpx
from bson import ObjectId

from backend import mongod
from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.tests import bulk_kills, kills, samples
from backend.tests.client import Client
from backend.tests.consistency import orphans, users_without_stats
from backend.tests.processes import app_process

Answers = Counter[str]
"""How many requests were answered how: by method and status."""
Request = Coroutine[Any, Any, httpx.Response]
Storm = Callable[[Client, Mongo], Awaitable[Answers]]


async def at_once(*requests: Request) -> list[httpx.Response]:
    return await asyncio.gather(*requests)


def counted(answers: list[httpx.Response]) -> Answers:
    return Counter(f"{answer.request.method} {answer.status_code}" for answer in answers)


async def upserts_of_one_match(client: Client, mongo: Mongo) -> Answers:
    user, job = await client.user(), await client.job()

    answers = await at_once(
        *(
            client.post(
                "/job-matches/", json=samples.match(user["id"], job["id"], relevancy_score=number / 50)
            )
            for number in range(50)
        )
    )

    found = counted(answers)
    assert found == {"POST 201": 1, "POST 200": 49}
    assert len({answer.json()["id"] for answer in answers}) == 1
    (stored,) = await mongo["job_matches"].find({"user_id": ObjectId(user["id"])}).to_list(None)
    assert stored["relevancy_score"] in [answer.json()["relevancy_score"] for answer in answers]
    assert stored["revision"] == 50
    return found


async def creates_of_one_match_that_may_not_be_there(client: Client, mongo: Mongo) -> Answers:
    body = samples.match((await client.user())["id"], (await client.job())["id"])

    answers = await at_once(*(client.post("/job-matches/?on_conflict=error", json=body) for _ in range(20)))

    return await one_made(answers, mongo, "job_matches", user_id=ObjectId(body["user_id"]))


async def creates_of_one_email(client: Client, mongo: Mongo) -> Answers:
    body = samples.user()

    answers = await at_once(
        *(client.post("/users/", json={**body, "name": f"Ada {number}"}) for number in range(20))
    )

    found = await one_made(answers, mongo, "users", email=body["email"])
    (made,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert await mongo["user_stats"].count_documents({"user_id": ObjectId(made["id"])}) == 1
    assert await mongo["user_stats"].count_documents({}) == await mongo["users"].count_documents({})
    return found


async def creates_of_one_posting(client: Client, mongo: Mongo) -> Answers:
    body = samples.job()

    answers = await at_once(*(client.post("/jobs/", json=body) for _ in range(20)))

    return await one_made(answers, mongo, "jobs", external_id=body["external_id"])


async def creates_of_one_interaction(client: Client, mongo: Mongo) -> Answers:
    body = samples.interaction((await client.user())["id"], (await client.job())["id"])

    answers = await at_once(*(client.post("/interactions/", json=body) for _ in range(20)))

    return await one_made(answers, mongo, "user_job_interactions", user_id=ObjectId(body["user_id"]))


async def one_made(answers: list[httpx.Response], mongo: Mongo, name: str, **where: Any) -> Answers:
    found = counted(answers)
    assert found == {"POST 201": 1, "POST 409": len(answers) - 1}
    assert await mongo[name].count_documents(where) == 1
    return found


async def moves_to_one_email(client: Client, mongo: Mongo) -> Answers:
    users = [await client.user() for _ in range(10)]
    wanted = samples.user()["email"]

    answers = await at_once(*(client.patch(f"/users/{user['id']}", json={"email": wanted}) for user in users))

    found = counted(answers)
    assert found == {"PATCH 200": 1, "PATCH 409": 9}
    assert await mongo["users"].count_documents({"email": wanted}) == 1
    return found


async def children_while_their_user_goes(client: Client, mongo: Mongo) -> Answers:
    user = (await client.user())["id"]
    jobs = [(await client.job())["id"] for _ in range(12)]
    creates = [
        *(client.post("/job-matches/", json=samples.match(user, job)) for job in jobs),
        # Twice the same pair: an upsert may meet what the removal is just taking away.
        *(client.post("/job-matches/", json=samples.match(user, job)) for job in jobs),
        *(client.post("/interactions/", json=samples.interaction(user, job)) for job in jobs),
        *(client.post("/saved-searches/", json=samples.search(user)) for _ in jobs),
    ]

    return await children_while(client.delete(f"/users/{user}"), creates, mongo, ObjectId(user))


async def children_while_their_posting_goes(client: Client, mongo: Mongo) -> Answers:
    job = (await client.job())["id"]
    users = [(await client.user())["id"] for _ in range(12)]
    creates = [
        *(client.post("/job-matches/", json=samples.match(user, job)) for user in users),
        *(client.post("/job-matches/", json=samples.match(user, job)) for user in users),
        *(client.post("/interactions/", json=samples.interaction(user, job)) for user in users),
    ]

    return await children_while(client.delete(f"/jobs/{job}"), creates, mongo, ObjectId(job))


async def children_under_keys_while_their_parents_go(client: Client, mongo: Mongo) -> Answers:
    user, job = (await client.user())["id"], (await client.job())["id"]
    users = [(await client.user())["id"] for _ in range(8)]
    jobs = [(await client.job())["id"] for _ in range(8)]
    asked = [
        *(("/job-matches/", samples.match(user, other)) for other in jobs),
        *(("/job-matches/", samples.match(other, job)) for other in users),
        *(("/interactions/", samples.interaction(user, other)) for other in jobs),
        *(("/interactions/", samples.interaction(other, job)) for other in users),
        *(("/saved-searches/", samples.search(user)) for _ in jobs),
    ]
    keys = [{"Idempotency-Key": str(ObjectId())} for _ in asked]
    posts = [
        partial(client.post, path, json=body, headers=key)
        for (path, body), key in zip(asked, keys, strict=True)
    ]
    removals = [partial(client.delete, f"/users/{user}"), partial(client.delete, f"/jobs/{job}")]
    storm: list[Callable[[], Request]] = [*posts, *removals]
    random.shuffle(storm)

    answers = dict(zip(storm, await at_once(*(ask() for ask in storm)), strict=True))

    found = counted(list(answers.values()))
    assert set(found) <= {"DELETE 204", "POST 201", "POST 404"}
    assert found["DELETE 204"] == 2
    assert await orphans(mongo) == []
    for post in posts:
        # What was made before its parent went was made, and is answered so for good.
        again = await post()
        assert (again.status_code, again.json().get("id")) == (
            answers[post].status_code,
            answers[post].json().get("id"),
        )
    assert await orphans(mongo) == []
    return found


async def repeats_of_one_request(client: Client, mongo: Mongo) -> Answers:
    search = samples.search((await client.user())["id"])
    key = {"Idempotency-Key": str(ObjectId())}

    answers = await at_once(*(client.post("/saved-searches/", json=search, headers=key) for _ in range(20)))

    found = counted(answers)
    assert set(found) <= {"POST 201", "POST 409"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_progress"}
    assert await mongo["saved_searches"].count_documents({"user_id": ObjectId(search["user_id"])}) == 1
    return found


async def repeats_of_one_bulk_call(client: Client, mongo: Mongo) -> Answers:
    items, key = [samples.job() for _ in range(50)], str(ObjectId())

    answers = await at_once(*(client.bulk("/jobs/", items, as_lines=True, key=key) for _ in range(20)))

    found = counted(answers)
    assert set(found) <= {"POST 200", "POST 409"}
    (told,) = {answer.content for answer in answers if answer.status_code == 200}
    assert json.loads(told)["summary"]["created"] == 50
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_progress"}
    names = [item["external_id"] for item in items]
    assert await mongo["jobs"].count_documents({"external_id": {"$in": names}, "revision": 1}) == 50
    return found


async def children_while(removal: Request, creates: list[Request], mongo: Mongo, gone: ObjectId) -> Answers:
    random.shuffle(creates)
    creates.insert(random.randrange(len(creates)), removal)

    answers = await at_once(*creates)

    found = counted(answers)
    assert set(found) <= {"DELETE 204", "POST 200", "POST 201", "POST 404"}
    assert found["DELETE 204"] == 1
    assert await orphans(mongo) == []
    for name in ("job_matches", "user_job_interactions", "saved_searches", "user_stats"):
        assert await mongo[name].count_documents({"$or": [{"user_id": gone}, {"job_id": gone}]}) == 0
    return found


async def patches_with_one_entity_tag(client: Client, mongo: Mongo) -> Answers:
    job = (await client.job())["id"]
    held = {"If-Match": (await client.get(f"/jobs/{job}")).headers["etag"]}

    answers = await at_once(
        *(client.patch(f"/jobs/{job}", json={"title": f"T{number}"}, headers=held) for number in range(50))
    )

    found = counted(answers)
    assert found == {"PATCH 200": 1, "PATCH 412": 49}
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await client.get(f"/jobs/{job}")).json() == won
    return found


async def patches_of_different_keys(client: Client, mongo: Mongo) -> Answers:
    user = (await client.user(credentials={"first": True}))["id"]
    wanted = {f"key{number}": number for number in range(50)}

    answers = await at_once(
        *(client.patch(f"/users/{user}", json={"credentials": {key: value}}) for key, value in wanted.items())
    )

    found = counted(answers)
    assert found == {"PATCH 200": 50}
    assert (await client.get(f"/users/{user}")).json()["credentials"] == {"first": True, **wanted}
    return found


async def removals_of_one_user(client: Client, mongo: Mongo) -> Answers:
    match = await client.match()
    user = match["user_id"]

    answers = await at_once(*(client.delete(f"/users/{user}") for _ in range(20)))

    found = counted(answers)
    assert found == {"DELETE 204": 1, "DELETE 404": 19}
    assert await orphans(mongo) == []
    return found


async def a_removal_among_patches(client: Client, mongo: Mongo) -> Answers:
    user = (await client.user())["id"]
    requests = [
        *(client.patch(f"/users/{user}", json={"credentials": {f"a{number}": 1}}) for number in range(20)),
        *(client.patch(f"/users/{user}/stats", json={"jobs_viewed": number}) for number in range(20)),
    ]
    random.shuffle(requests)
    requests.insert(random.randrange(len(requests)), client.delete(f"/users/{user}"))

    answers = await at_once(*requests)

    found = counted(answers)
    assert set(found) <= {"DELETE 204", "PATCH 200", "PATCH 404"}
    assert found["DELETE 204"] == 1
    assert await mongo["users"].find_one({"_id": ObjectId(user)}) is None
    assert await orphans(mongo) == []
    return found


async def a_conditional_removal_among_patches(client: Client, mongo: Mongo) -> Answers:
    user = (await client.user())["id"]
    held = {"If-Match": (await client.get(f"/users/{user}")).headers["etag"]}
    requests = [client.patch(f"/users/{user}", json={"name": f"N{number}"}) for number in range(10)]
    requests.insert(random.randrange(4), client.delete(f"/users/{user}", headers=held))

    answers = await at_once(*requests)

    found = counted(answers)
    assert set(found) <= {"DELETE 204", "DELETE 412", "PATCH 200", "PATCH 404"}
    stands = await mongo["users"].find_one({"_id": ObjectId(user)}) is not None
    assert stands == (found["DELETE 412"] == 1)
    if not stands:
        assert found["PATCH 200"] == 0
    return found


STORMS: tuple[Storm, ...] = (
    upserts_of_one_match,
    creates_of_one_match_that_may_not_be_there,
    creates_of_one_email,
    creates_of_one_posting,
    creates_of_one_interaction,
    moves_to_one_email,
    children_while_their_user_goes,
    children_while_their_posting_goes,
    children_under_keys_while_their_parents_go,
    repeats_of_one_request,
    repeats_of_one_bulk_call,
    patches_with_one_entity_tag,
    patches_of_different_keys,
    removals_of_one_user,
    a_removal_among_patches,
    a_conditional_removal_among_patches,
)


def name_of(storm: Storm) -> str:
    return getattr(storm, "__name__", "storm").replace("_", " ")


async def on_two_workers(uri: str, driver: str, rounds: int) -> None:
    database = f"aijobhunt_storms_{driver}"
    environment = {"MONGODB_URI": uri, "PROD_DB": database, "MONGO_DRIVER": driver}
    settings = Settings().model_copy(update={"mongodb_uri": uri, "mongo_driver": driver})
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with AsyncExitStack() as stack:
        app = stack.enter_context(app_process(environment, workers=2))
        app.await_answer()
        mongo = await stack.enter_async_context(Mongo(settings, database))
        client = await stack.enter_async_context(Client(base_url=app.url, limits=limits, timeout=60))
        for storm in STORMS:
            began, answers = time.monotonic(), Answers()
            for _ in range(rounds):
                answers += await storm(client, mongo)
            assert await orphans(mongo) == []
            assert await users_without_stats(mongo) == []
            seconds = time.monotonic() - began
            print(
                f"  {name_of(storm):45} {rounds} x, {seconds:6.1f} s: {dict(sorted(answers.items()))}",
                flush=True,
            )
        await mongo.client.drop_database(database)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--driver", choices=["motor", "pymongo", "both"], default="both")
    arguments = parser.parse_args()
    for driver in ["motor", "pymongo"] if arguments.driver == "both" else [arguments.driver]:
        with ExitStack() as stack:
            uri = Settings().mongodb_uri or stack.enter_context(mongod.temporary(cache_gb=0.5)).uri
            print(f"{driver}, two workers:", flush=True)
            asyncio.run(on_two_workers(uri, driver, arguments.rounds))
            print(f"{driver}, kill -9 in the middle of a removal:", flush=True)
            asyncio.run(kills.repeated(uri, driver, arguments.kills))
            print(f"{driver}, kill -9 in the middle of requests under keys:", flush=True)
            asyncio.run(kills.repeated_among_posts(uri, driver, arguments.kills))
            print(f"{driver}, kill -9 in the middle of a bulk call:", flush=True)
            asyncio.run(bulk_kills.repeated_in_bulk(uri, driver, arguments.kills))


if __name__ == "__main__":
    main()
