"""When a request is made again, and after how long."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from backend.client.failures import ApiProblem, ClientFailure

# Not carried out, whatever was asked for.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NOT_NOW = {429}
# Perhaps carried out: to be asked again only where twice is as good as once.
PASSING = {408, 502, 503, 504} | NOT_NOW
STILL_RUNNING = (409, "in_progress")
LONGEST_ASKED = 300.0


def silence(_failure: ClientFailure, _seconds: float) -> None:
    """Retries are nobody's business, unless somebody asks."""


@dataclass(frozen=True)
class Retry:
    """Exponential back-off with jitter; at least as long as `Retry-After` says."""

    attempts: int = 10
    """In all, the first included. The default bears with a server that is away for a minute or two."""
    first: float = 0.5
    """Seconds before the second attempt, doubled before each one after it; half of it is left to chance."""
    longest: float = 30.0
    noticed: Callable[[ClientFailure, float], None] = silence
    """Called before each wait, with what went wrong and the seconds."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.random

    async def pause(self, failure: ClientFailure, attempt: int) -> None:
        """Wait before the next attempt, or raise what went wrong if there is to be none."""
        if attempt >= self.attempts:
            raise failure
        seconds = min(self.longest, self.first * 2 ** (attempt - 1)) * (1 + self.chance()) / 2
        seconds = max(seconds, min(failure.retry_after or 0.0, LONGEST_ASKED))
        self.noticed(failure, seconds)
        await self.sleep(seconds)


def worth_another_try(error: ApiProblem | httpx.TransportError, *, repeatable: bool) -> bool:
    """Whether asking again can help and does no harm. Repeatable: with one effect, however often it comes."""
    if isinstance(error, ApiProblem):
        if not repeatable:
            return error.status in NOT_NOW
        return error.status in PASSING or (error.status, error.code) == STILL_RUNNING
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return False
    return repeatable or isinstance(error, NEVER_SENT)
