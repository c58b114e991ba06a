"""Stats follow what happens, however it happens; what was written by hand stands until the next event."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from backend.app.db import marks
from backend.app.db.marks import EVENTS, STALE
from backend.app.db.mongo import Mongo
from backend.app.db.removals import DEADLINES_TO_WAIT, sweep
from backend.app.db.schema import STATS
from backend.app.db.stats import Stats
from backend.app.errors import Unavailable
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.consistency import drifts
from backend.tests.stats_play import Play

SEEDS = (1,)
EVENTS_OF_A_PLAY = 200
BY_HAND = {"jobs_viewed": 70, "top_missing_skill": "Cobol"}


async def stats_of(client: Client, user: str, **query: Any) -> Json:
    answer = await client.get(f"/users/{user}/stats", params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def write_by_hand(client: Client, user: str) -> None:
    assert (await client.patch(f"/users/{user}/stats", json=BY_HAND)).status_code == 200


async def is_by_hand(client: Client, user: str) -> bool:
    return (await stats_of(client, user)).items() >= BY_HAND.items()


@pytest.mark.parametrize("seed", SEEDS)
async def test_there_is_no_drift_after_any_event(client: Client, seed: int) -> None:
    play = Play(client, seed)
    await play.begin()

    for _ in range(EVENTS_OF_A_PLAY):
        await play.event()

        told = await asyncio.gather(*(stats_of(client, user, verify=True) for user in play.users))
        for user, stats in zip(play.users, told, strict=True):
            assert stats["drift"] == {}
            assert stats.items() >= play.stats(user).items()


async def test_a_hand_written_value_stands_until_the_next_event(client: Client) -> None:
    made = await client.interaction()
    user = made["user_id"]
    await write_by_hand(client, user)
    assert await is_by_hand(client, user)

    await client.interaction(user_id=user)

    found = await stats_of(client, user)
    assert (found["jobs_viewed"], found["top_missing_skill"]) == (2, None)


Happening = Callable[[Client, Json], Awaitable[Any]]

NO_EVENTS: dict[str, Happening] = {
    "an event of another user": lambda client, made: client.interaction(job_id=made["job_id"]),
    "the same again": lambda client, made: client.post(
        "/interactions/", json=samples.interaction(made["user_id"], made["job_id"])
    ),
    "one for a posting that is not there": lambda client, made: client.post(
        "/interactions/", json=samples.interaction(made["user_id"], "f" * 24)
    ),
    "a patch that changes nothing": lambda client, made: client.patch(
        f"/interactions/{made['id']}", json={"interaction_type": "viewed"}
    ),
    "a stale patch": lambda client, made: client.patch(
        f"/interactions/{made['id']}", json={"interaction_type": "saved"}, headers={"If-Match": '"00"'}
    ),
    "bulk items that are unchanged": lambda client, made: client.bulk(
        "/interactions/", [samples.interaction(made["user_id"], made["job_id"])]
    ),
    "a bulk item that is rejected": lambda client, made: client.bulk(
        "/interactions/", [samples.interaction(made["user_id"], "f" * 24)]
    ),
    "an atomic call that is refused": lambda client, made: client.bulk(
        "/interactions/",
        [
            samples.interaction(made["user_id"], made["job_id"], interaction_type="saved"),
            samples.interaction(made["user_id"], "f" * 24),
        ],
        atomic=True,
    ),
    "a dry run": lambda client, made: client.bulk(
        "/interactions/",
        [samples.interaction(made["user_id"], made["job_id"], interaction_type="saved")],
        dry_run=True,
    ),
    "a posting nobody cares for, gone": lambda client, _: lose_job(client),
}


async def lose_job(client: Client) -> None:
    await client.delete(f"/jobs/{(await client.job())['id']}")


@pytest.mark.parametrize("happening", NO_EVENTS.values(), ids=NO_EVENTS)
async def test_a_hand_written_value_outlives_what_is_no_event_of_the_user(
    client: Client, happening: Happening
) -> None:
    made = await client.interaction()
    await write_by_hand(client, made["user_id"])

    await happening(client, made)

    assert await is_by_hand(client, made["user_id"])


ITEM = {"interaction_type": "saved"}
MORE_EVENTS: dict[str, Happening] = {
    "an upsert": lambda client, made: client.post(
        "/job-matches/", json=samples.match(made["user_id"], made["job_id"])
    ),
    "a bulk item that is new": lambda client, made: client.bulk(
        "/interactions/", [samples.interaction(made["user_id"], made["job_id"], **ITEM)]
    ),
    "an atomic call": lambda client, made: client.bulk(
        "/interactions/", [samples.interaction(made["user_id"], made["job_id"], **ITEM)], atomic=True
    ),
    "lines under a key": lambda client, made: client.bulk(
        "/interactions/",
        [samples.interaction(made["user_id"], made["job_id"], **ITEM)],
        as_lines=True,
        key="once",
    ),
    "the posting, gone": lambda client, made: client.delete(f"/jobs/{made['job_id']}"),
    "a request to recalculate": lambda client, made: client.post(
        f"/users/{made['user_id']}/stats/recalculate"
    ),
}


@pytest.mark.parametrize("happening", MORE_EVENTS.values(), ids=MORE_EVENTS)
async def test_an_event_of_any_kind_ends_what_was_written_by_hand(
    client: Client, happening: Happening
) -> None:
    made = await client.interaction()
    await write_by_hand(client, made["user_id"])

    await happening(client, made)

    found = await stats_of(client, made["user_id"], verify=True)
    assert (found["drift"], found["top_missing_skill"]) == ({}, None)


async def test_verification_tells_what_is_stored_from_what_there_is(client: Client) -> None:
    user = (await client.interaction())["user_id"]
    assert "drift" not in await stats_of(client, user)
    await write_by_hand(client, user)

    found = await stats_of(client, user, verify=True)

    assert found["drift"] == {
        "jobs_viewed": {"stored": 70, "counted": 1},
        "top_missing_skill": {"stored": "Cobol", "counted": None},
    }
    assert await is_by_hand(client, user)


async def test_a_recalculation_is_answered_with_the_stats(client: Client) -> None:
    user = (await client.interaction(interaction_type="withdrawn"))["user_id"]
    before = await stats_of(client, user)
    await write_by_hand(client, user)

    answer = await client.post(f"/users/{user}/stats/recalculate")

    assert answer.status_code == 200
    assert answer.json() == await stats_of(client, user)
    assert answer.json() == {**before, "last_calculated": answer.json()["last_calculated"]}
    assert answer.json()["last_calculated"] >= before["last_calculated"]
    assert answer.headers["etag"] == (await client.get(f"/users/{user}/stats")).headers["etag"]


@pytest.mark.parametrize("path", ["stats/recalculate", "stats?verify=true"])
async def test_nobody_has_stats_to_recalculate_or_to_verify(client: Client, path: str) -> None:
    method = "POST" if "recalculate" in path else "GET"

    answer = await client.request(method, f"/users/{'f' * 24}/{path}")

    assert (answer.status_code, answer.json()["detail"]) == (404, "UserStats not found")


async def test_stats_stay_as_they_are_from_one_event_to_the_next(client: Client) -> None:
    user = (await client.interaction())["user_id"]

    first, second = [await client.get(f"/users/{user}/stats") for _ in range(2)]

    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])


async def test_a_patch_sees_the_stats_as_they_are(client: Client) -> None:
    user = (await client.interaction())["user_id"]

    patched = (await client.patch(f"/users/{user}/stats", json={"jobs_saved": 9})).json()

    assert (patched["jobs_viewed"], patched["jobs_saved"]) == (1, 9)
    assert (await stats_of(client, user)) == patched


async def test_interactions_at_once_are_all_counted(client: Client) -> None:
    user, jobs = (await client.user())["id"], [(await client.job())["id"] for _ in range(20)]

    await asyncio.gather(
        *(client.interaction(user_id=user, job_id=job) for job in jobs),
        *(stats_of(client, user) for _ in range(20)),
    )

    found = await stats_of(client, user, verify=True)
    assert (found["jobs_viewed"], found["drift"]) == (20, {})


async def test_a_posting_that_goes_while_it_is_viewed_is_not_counted(client: Client, mongo: Mongo) -> None:
    users, job = [(await client.user())["id"] for _ in range(10)], (await client.job())["id"]
    sent = [samples.interaction(user, job) for user in users]

    await asyncio.gather(
        *(client.post("/interactions/", json=one) for one in sent[:5]),
        client.bulk("/interactions/", sent[5:]),
        client.delete(f"/jobs/{job}"),
        *(stats_of(client, user) for user in users),
    )

    assert await drifts(mongo) == []
    assert [(await stats_of(client, user))["jobs_viewed"] for user in users] == [0] * 10


async def test_all_that_goes_with_a_posting_is_marked_however_many(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.app.db.collection.CHILDREN_AT_A_TIME", 2)
    job = (await client.job())["id"]
    users = [(await client.interaction(job_id=job))["user_id"] for _ in range(5)]
    assert [(await stats_of(client, user))["jobs_viewed"] for user in users] == [1] * 5

    await client.delete(f"/jobs/{job}")

    assert [(await stats_of(client, user))["jobs_viewed"] for user in users] == [0] * 5


async def test_a_keyed_interaction_is_counted_once(client: Client) -> None:
    user, job = (await client.user())["id"], (await client.job())["id"]
    for _ in range(2):
        await client.post(
            "/interactions/", json=samples.interaction(user, job), headers={"Idempotency-Key": "once"}
        )

    assert (await stats_of(client, user, verify=True))["jobs_viewed"] == 1


# An app that is killed


async def read_before_the_write(
    client: Client, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, user: str, job: str
) -> None:
    """An interaction whose stats are read after its first mark, and that has no second."""
    mark, writes = marks._mark, mongo.write
    begun = False

    async def only_the_first(*arguments: Any) -> None:
        nonlocal begun
        if begun:
            raise Unavailable("The database cannot be reached")
        begun = True
        await mark(*arguments)

    async def read_first(name: str, command: str, *arguments: Any, **options: Any) -> Any:
        if command == "insert_one":
            assert (await stats_of(client, user))["jobs_viewed"] == 0
        return await writes(name, command, *arguments, **options)

    with monkeypatch.context() as killed:
        killed.setattr(marks, "_mark", only_the_first)
        killed.setattr(mongo, "write", read_first)
        await client.interaction(user_id=user, job_id=job)


async def test_an_event_that_nobody_lived_to_end_is_counted(
    client: Client, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, job = (await client.user())["id"], (await client.job())["id"]

    await read_before_the_write(client, mongo, monkeypatch, user, job)

    assert (await stats_of(client, user))["jobs_viewed"] == 1


async def test_an_event_that_nobody_lived_to_end_is_over_when_its_time_is_up(
    client: Client, mongo: Mongo
) -> None:
    user = (await client.user())["id"]
    wait = timedelta(seconds=(DEADLINES_TO_WAIT + 1) * mongo.settings.bulk_deadline)
    long_ago, just_now = ObjectId.from_datetime(datetime.now(UTC) - wait), ObjectId()
    this = {"user_id": ObjectId(user)}
    await mongo[STATS.name].update_one(this, {"$set": {EVENTS: [long_ago, just_now]}})

    await stats_of(client, user)

    stored = await mongo[STATS.name].find_one(this)
    assert stored
    assert (stored[EVENTS], STALE in stored) == ([just_now], False)


async def test_stats_of_an_older_service_are_counted(client: Client, mongo: Mongo) -> None:
    user = (await client.interaction(interaction_type="applied"))["user_id"]
    await mongo[STATS.name].update_one(
        {"user_id": ObjectId(user)},
        {"$unset": dict.fromkeys(("jobs_applied", "jobs_rejected", "jobs_withdrawn", EVENTS, STALE), "")},
    )

    found = await stats_of(client, user)

    assert (found["jobs_applied"], found["jobs_viewed"]) == (1, 0)


async def test_what_is_swept_up_is_not_counted_any_more(client: Client, mongo: Mongo) -> None:
    made = await client.interaction()
    (stored,) = await mongo["user_job_interactions"].find().to_list(None)
    await client.delete(f"/jobs/{made['job_id']}")
    # As a process that was killed leaves it.
    await mongo["user_job_interactions"].insert_one(stored)
    await client.post(f"/users/{made['user_id']}/stats/recalculate")
    assert (await stats_of(client, made["user_id"]))["jobs_viewed"] == 1

    await sweep(mongo, recent=True)

    assert (await stats_of(client, made["user_id"]))["jobs_viewed"] == 0


async def test_what_was_counted_before_an_event_is_not_kept_after_it(
    client: Client, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, job = (await client.user())["id"], (await client.job())["id"]
    await client.interaction(user_id=user, job_id=job)
    write = Stats.write
    happened = False

    async def overtaken(stats: Stats, *arguments: Any, **options: Any) -> Any:
        nonlocal happened
        if not happened:
            happened = True
            await client.interaction(user_id=user, job_id=job, interaction_type="saved")
        return await write(stats, *arguments, **options)

    monkeypatch.setattr(Stats, "write", overtaken)
    # The reader sees what was true when they asked.
    assert (await stats_of(client, user))["jobs_saved"] == 0

    assert (await stats_of(client, user))["jobs_saved"] == 1
