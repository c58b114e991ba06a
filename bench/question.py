"""What a question is, and what an answer to one has to reach."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

Database = AsyncIOMotorDatabase[dict[str, Any]]
Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Facts:
    """What a question needs to know of the data set and of the round."""

    postings: int
    round: int
    deep_page: str = ""
    """The path of page 1,000, once somebody walked there."""


@dataclass(frozen=True)
class Question:
    key: str
    title: str
    requests: Callable[[Facts], Iterator[bytes]]
    """What is sent, without end."""
    holds: Callable[[Any, Facts], bool]
    """Whether the answer to the first of these requests that counts is right."""
    straight: Callable[[Database, Facts], Ask] | None = None
    """The same through Motor alone."""
    peers: tuple[str, ...] = ("motor", "minimal", "eve", "eve-best", "app", "app-pymongo")
    unit: str = "requests"
    weight: int = 1
    """How many of its unit one request is: the documents of a bulk call."""
    beforehand: int = 0
    """How many of the requests only lay the ground for those that count."""
    in_flight: Mapping[str, int] = field(default_factory=dict)
    """How many requests at once, for each peer that does best with another number than all others."""

    @property
    def bulk(self) -> bool:
        return self.weight > 1


@dataclass(frozen=True)
class Target:
    """What this app has to reach at a question: so many times what a peer does, or what it does itself at
    another question."""

    question: str
    times: float
    peer: str = "app"
    other: str | None = None
    """Another question to compare with; the same without."""


@dataclass(frozen=True)
class Floor:
    """What this app has to reach at a question by itself: so many of its unit in a second."""

    question: str
    least: float


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
