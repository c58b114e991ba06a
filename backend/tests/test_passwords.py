"""What a flood of passwords does: it waits its turn, and not for ever."""

import asyncio

import pytest
from argon2 import PasswordHasher

from backend.app import passwords
from backend.app.errors import Unavailable


async def test_a_hash_is_argon2id_and_fits_the_password() -> None:
    made = await passwords.hashed("correct horse", 5)

    assert made.startswith("$argon2id$")
    assert PasswordHasher().verify(made, "correct horse")


async def test_many_at_once_all_get_theirs() -> None:
    made = await asyncio.gather(*(passwords.hashed("correct horse", 30) for _ in range(6)))

    assert len(set(made)) == 6


async def test_who_would_wait_too_long_is_told_so() -> None:
    with pytest.raises(Unavailable):
        await asyncio.gather(*(passwords.hashed("correct horse", 0.01) for _ in range(50)))
