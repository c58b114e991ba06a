"""A transaction takes in all that is written inside it, and starts over as a whole."""

import pytest
from bson import ObjectId

from backend.app.db.collection import Collection
from backend.app.db.mongo import Mongo, Session
from backend.app.db.schema import JOBS, MATCHES, SEARCHES
from backend.app.db.transactions import StartOver, afterwards, kept, transaction
from backend.app.errors import NotFound
from backend.app.models.jobs import JobIn
from backend.app.models.saved_searches import SearchIn
from backend.tests import samples
from backend.tests.client import Client


@pytest.fixture
def jobs(mongo: Mongo) -> Collection:
    return Collection(mongo, JOBS)


def posting() -> JobIn:
    return JobIn.model_validate(samples.job())


async def test_what_is_written_inside_goes_when_it_fails(mongo: Mongo, jobs: Collection) -> None:
    async def work(_: Session) -> None:
        await jobs.add(posting())
        raise NotFound("Something else")

    with pytest.raises(NotFound):
        await transaction(mongo, work)

    assert await jobs.documents.count_documents({}) == 0


async def test_one_inside_another_is_a_part_of_it(mongo: Mongo, jobs: Collection, client: Client) -> None:
    match = await client.match()

    async def work(_: Session) -> None:
        # A transaction by itself.
        await jobs.remove(ObjectId(match["job_id"]))
        raise NotFound("Something else")

    with pytest.raises(NotFound):
        await transaction(mongo, work)

    assert (await client.get(f"/job-matches/{match['id']}")).json() == match
    assert (await client.get(f"/jobs/{match['job_id']}")).status_code == 200


async def test_what_is_written_inside_is_read_inside(mongo: Mongo, jobs: Collection) -> None:
    async def work(_: Session) -> tuple[str, int, int]:
        made = await jobs.add(posting())
        read = await jobs.get(made["_id"])
        page = await jobs.page({"is_active": True}, 10)
        return read["title"], len(page.documents), await jobs.count({})

    assert await transaction(mongo, work) == ("Engineer", 1, 1)


async def test_it_starts_over_as_a_whole(mongo: Mongo, jobs: Collection) -> None:
    attempts = 0

    async def work(_: Session) -> None:
        nonlocal attempts
        attempts += 1
        await jobs.add(posting())
        if attempts < 3:
            raise StartOver

    await transaction(mongo, work)

    assert attempts == 3
    assert await jobs.documents.count_documents({}) == 1


async def test_what_is_kept_is_worked_out_once_however_often_it_starts_over(mongo: Mongo) -> None:
    made: list[int] = []
    seen: list[int] = []

    async def make() -> int:
        made.append(len(made))
        return made[-1]

    async def work(_: Session) -> None:
        seen.append(await kept("number", make))
        if len(seen) < 3:
            raise StartOver

    await transaction(mongo, work)

    assert (made, seen) == ([0], [0, 0, 0])


async def test_outside_a_transaction_nothing_is_kept() -> None:
    made: list[int] = []

    async def make() -> int:
        made.append(len(made))
        return made[-1]

    assert [await kept("number", make), await kept("number", make)] == [0, 1]


async def test_what_comes_afterwards_sees_what_was_written_and_is_done_once(
    mongo: Mongo, jobs: Collection
) -> None:
    seen: list[int] = []
    attempts = 0

    async def look() -> None:
        # Past the session: only what is committed is there.
        seen.append(await jobs.documents.count_documents({}))

    async def work(_: Session) -> None:
        nonlocal attempts
        attempts += 1
        await afterwards(look)
        await jobs.add(posting())
        assert seen == []
        if attempts < 3:
            raise StartOver

    await transaction(mongo, work)

    assert seen == [1]


async def test_nothing_comes_after_a_transaction_that_failed(mongo: Mongo) -> None:
    done: list[str] = []

    async def do() -> None:
        done.append("this")

    async def work(_: Session) -> None:
        await afterwards(do)
        raise NotFound("Something")

    with pytest.raises(NotFound):
        await transaction(mongo, work)

    assert done == []


async def test_a_child_whose_parent_went_meanwhile_is_taken_along_after_the_commit(
    mongo: Mongo, client: Client
) -> None:
    user = (await client.user())["id"]
    searches = Collection(mongo, SEARCHES)

    async def work(_: Session) -> ObjectId:
        made = await searches.add(SearchIn.model_validate(samples.search(user)))
        # By another client, past this transaction, which it does not see.
        await mongo["users"].delete_one({"_id": ObjectId(user)})
        identity: ObjectId = made["_id"]
        return identity

    made = await transaction(mongo, work)

    assert await searches.documents.find_one({"_id": made}) is None


async def test_a_removal_inside_takes_along_what_was_added_meanwhile(mongo: Mongo, client: Client) -> None:
    match = await client.match()
    job, other = ObjectId(match["job_id"]), ObjectId()

    async def work(_: Session) -> None:
        await Collection(mongo, JOBS).remove(job)
        # By another client, past this transaction.
        await mongo[MATCHES.name].insert_one({"_id": other, "job_id": job, "user_id": ObjectId()})

    await transaction(mongo, work)

    assert await mongo[MATCHES.name].count_documents({}) == 0
