"""Bulk calls, a few at a time: every item once, its outcome in its place, whatever breaks meanwhile."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

from backend.client.chunks import MOST_ITEMS, Chunk, Entry, Item, Names, Refused, cut
from backend.client.connection import Call, Connection
from backend.client.failures import ApiProblem, Fault, UnexpectedAnswer
from backend.client.streams import AsyncStream

Mode = Literal["replace", "merge"]
Status = Literal["created", "updated", "unchanged", "rejected"]

# Of a whole call, though one item alone is to blame.
UNFIT = {"malformed_body", "too_large"}
STARTED = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item."""

    index: int
    """Which item: the first is 0."""
    status: Status
    item: Item
    """As it was given."""
    id: str | None = None
    """Of the document; none where there is none."""
    key: Mapping[str, str | None] = field(default_factory=dict)
    """What the server knows the document by, such as `external_id`."""
    errors: tuple[Fault, ...] = ()
    """Why it was rejected."""
    sent: bool = True
    """Whether the server judged it. What it did not, an ingest run has not seen."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many items came to what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def stored(self) -> int:
        """That the server holds now, as they were sent."""
        return self.created + self.updated + self.unchanged

    @property
    def total(self) -> int:
        return self.stored + self.rejected

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
        )

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Summary":
        counts: dict[Status, int] = {"created": 0, "updated": 0, "unchanged": 0, "rejected": 0}
        for outcome in outcomes:
            counts[outcome.status] += 1
        return cls(**counts)


class Options(TypedDict, total=False):
    """How items are ingested."""

    mode: Mode
    """replace (default) stores an item as it is sent, merge is a merge patch on what stands."""
    dry_run: bool
    """Tell what would happen, and write nothing."""
    chunk: int
    """Items a call (1,000, and 4 MiB)."""
    in_flight: int
    """Calls at a time (2)."""
    key: str
    """What the Idempotency-Keys begin with (a fresh one): the same goes on with what broke off."""
    first_chunk: int
    """Under such a key, how many chunks are not given any more (0)."""


class AsyncIngestion(AsyncStream[Outcome]):
    """Items on their way: goes on as its outcomes are asked for, in the order of the items."""

    def __init__(
        self,
        connection: Connection,
        path: str,
        names: Names,
        items: Iterable[Item | Refused] | AsyncIterable[Item | Refused],
        *,
        mode: Mode = "replace",
        dry_run: bool = False,
        run_id: str | None = None,
        chunk: int = MOST_ITEMS,
        in_flight: int = STARTED,
        key: str | None = None,
        first_chunk: int = 0,
    ) -> None:
        super().__init__(self._batches)
        self.summary = Summary()
        """Of the outcomes so far."""
        self._connection = connection
        self._call = Call(
            "POST",
            path,
            {"mode": mode, "dry_run": dry_run, "run_id": run_id, "report": "all"},
            key=key or uuid.uuid4().hex,
        )
        self._chunks = cut(items, names, number=first_chunk, most_items=chunk)
        self._in_flight = in_flight

    async def finish(self) -> Summary:
        """Send whatever is left, and tell what became of it all."""
        async with aclosing(self.batches()) as batches:
            async for _ in batches:
                pass
        return self.summary

    async def _batches(self) -> AsyncGenerator[list[Outcome], None]:
        flying: deque[tuple[Chunk, asyncio.Task[list[Outcome]]]] = deque()

        async def landed() -> list[Outcome]:
            outcomes = await flying[0][1]
            flying.popleft()
            self.summary += Summary.of(outcomes)
            return outcomes

        try:
            async for chunk in self._chunks:
                done = []
                while len(flying) >= self._in_flight or any(chunk.meets(other) for other, _ in flying):
                    done.append(await landed())
                # Under way before the outcomes are told, so that nobody waits for who listens.
                flying.append((chunk, self._connection.start(self._send(chunk))))
                for outcomes in done:
                    yield outcomes
            while flying:
                yield await landed()
        finally:
            for _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, task in flying), return_exceptions=True)

    async def _send(self, chunk: Chunk) -> list[Outcome]:
        key = f"{self._call.key}-{chunk.number}"
        sent = await self._outcomes([entry for entry in chunk.entries if not entry.errors], key)
        unsent = [rejected(entry, entry.errors) for entry in chunk.entries if entry.errors]
        return sorted([*sent, *unsent], key=lambda outcome: outcome.index) if unsent else sent

    async def _outcomes(self, entries: list[Entry], key: str) -> list[Outcome]:
        if not entries:
            return []
        body = b"[" + b",".join(entry.body for entry in entries) + b"]"
        try:
            told = await self._connection.json(replace(self._call, body=body, key=key))
        except ApiProblem as problem:
            if problem.code not in UNFIT:
                raise
            if len(entries) == 1:
                return [rejected(entries[0], (Fault("", problem.detail, problem.code),))]
            middle = len(entries) // 2
            # In order, for the last one wins.
            first = await self._outcomes(entries[:middle], f"{key}.0")
            return first + await self._outcomes(entries[middle:], f"{key}.1")
        try:
            return [outcome(entry, told) for entry, told in zip(entries, told["items"], strict=True)]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UnexpectedAnswer(self._connection.url, "no outcome for each item") from None


def rejected(entry: Entry, errors: tuple[Fault, ...]) -> Outcome:
    return Outcome(entry.index, "rejected", entry.item, errors=errors, sent=False)


def outcome(entry: Entry, told: Mapping[str, Any]) -> Outcome:
    rest = {name: value for name, value in told.items() if name not in ("index", "status", "id", "errors")}
    errors = tuple(Fault.read(error) for error in told["errors"])
    return Outcome(entry.index, told["status"], entry.item, told["id"], rest, errors)
