"""Passwords as argon2id hashes, a few at a time."""

import asyncio

from argon2 import PasswordHasher

from backend.app.errors import Unavailable

HASHER = PasswordHasher()
# A hash takes 64 MiB and a core for some 50 ms: a flood of them must not take the machine.
AT_ONCE = asyncio.Semaphore(2)


async def hashed(password: str, seconds: float) -> str:
    """The hash, in a thread of its own, unless too many others wait for theirs."""
    try:
        async with asyncio.timeout(seconds):
            await AT_ONCE.acquire()
    except TimeoutError:
        raise Unavailable("Too many passwords are being set at once") from None
    try:
        return await asyncio.to_thread(HASHER.hash, password)
    finally:
        AT_ONCE.release()
