"""The app killed in the middle of a removal leaves the user whole or gone. `make storms` kills more."""

import os

from backend.app.config import Settings
from backend.tests import kills

ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))


async def test_a_user_whose_removal_is_cut_off_by_a_kill_is_whole_or_gone(settings: Settings) -> None:
    killed = await kills.repeated(settings.uri, settings.mongo_driver, ROUNDS)

    assert len(killed) == ROUNDS
