"""The transaction that a task is in: what it writes joins it, however deep in the data layer that happens."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

Deed = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Ambient:
    """One attempt at a transaction. A session is one conversation: never two tasks at once."""

    session: AsyncClientSession
    kept: dict[str, Any]
    """What was worked out, at some cost, by the attempts so far."""
    beforehand: list[Deed] = field(default_factory=list)
    """What is to be done, past the transaction, just before it is committed."""
    afterwards: list[Deed] = field(default_factory=list)
    """What is to be done once it stands."""


ambient: ContextVar[Ambient | None] = ContextVar("ambient", default=None)


def joined() -> AsyncClientSession | None:
    """The session of the transaction that this task is in, if it is in one."""
    around = ambient.get()
    return None if around is None else around.session
