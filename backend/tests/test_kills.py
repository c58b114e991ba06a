"""The app killed in the middle of its work leaves nothing half done. `make storms` kills more, and longer."""

import os

import pytest

from backend.app.config import Settings
from backend.tests import bulk_kills, kills

ROUNDS = int(os.environ.get("KILL_ROUNDS", "0"))
takes_a_while = pytest.mark.skipif(not ROUNDS, reason="half a minute each: set KILL_ROUNDS, or `make storms`")


@takes_a_while
async def test_a_user_whose_removal_is_cut_off_by_a_kill_is_whole_or_gone(settings: Settings) -> None:
    killed = await kills.repeated(settings.uri, settings.mongo_driver, ROUNDS)

    assert len(killed) == ROUNDS


async def test_a_post_that_is_cut_off_by_a_kill_and_sent_again_is_done_once(settings: Settings) -> None:
    killed = await kills.repeated_among_posts(settings.uri, settings.mongo_driver, ROUNDS or 1)

    assert len(killed) == (ROUNDS or 1)


@takes_a_while
async def test_a_bulk_call_that_is_cut_off_by_a_kill_and_sent_again_is_done_once(settings: Settings) -> None:
    killed = await bulk_kills.repeated_in_bulk(settings.uri, settings.mongo_driver, ROUNDS)

    assert len(killed) == ROUNDS * len(bulk_kills.KINDS)
