"""Many at once: no update is lost, nothing made twice, no child left behind. `make storms` runs more."""

import os

import pytest

from backend.app.db.mongo import Mongo
from backend.tests.client import Client
from backend.tests.consistency import orphans, users_without_stats
from backend.tests.storms import STORMS, Storm, name_of

ROUNDS = int(os.environ.get("STORM_ROUNDS", "3"))


@pytest.mark.parametrize("storm", STORMS, ids=name_of)
async def test_a_storm_leaves_the_data_whole(client: Client, mongo: Mongo, storm: Storm) -> None:
    for _ in range(ROUNDS):
        await storm(client, mongo)

    assert await orphans(mongo) == []
    assert await users_without_stats(mongo) == []
