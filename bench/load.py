"""The load: so many questions in flight at any time, from a process of its own.

It runs as `python -m bench.load`, takes an `Order` as JSON on standard input and writes what it `Measured` on
standard output. It shares the machine with those it asks, so it has to cost little: requests are made
beforehand, and of an answer only the status and the end are read.
"""

import asyncio
import gc
import json
import math
import sys
import time
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from statistics import quantiles
from typing import Any, cast

import uvloop
from motor.motor_asyncio import AsyncIOMotorClient

from bench.question import Facts, Question
from bench.questions import BY_KEY

HOST = "127.0.0.1"
LONGEST_ANSWER = 30.0
# What comes so soon after the head of an error still belongs to it.
REST_OF_REFUSAL = 0.1
HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
CHUNKED = b"\r\ntransfer-encoding: chunked"
LAST_CHUNK = b"\r\n0\r\n\r\n"


class LoadFailed(RuntimeError):
    """An answer was not what was asked for, or there was none."""


@dataclass(frozen=True)
class Order:
    """What to ask, whom, and how long."""

    question: str
    facts: Facts
    connections: int
    warm_up: float
    seconds: float
    port: int | None
    """Where the server listens; None asks straight through Motor."""
    uri: str
    database: str


@dataclass(frozen=True)
class Measured:
    per_second: float
    p50: float
    """In milliseconds, like the next."""
    p99: float


class Clock:
    """Which answers count: those that were under way between the warm-up and the end, and at either end only
    that part of them, or a rate could not be told of answers that take as long as the measure."""

    def __init__(self, warm_up: float, seconds: float) -> None:
        self.seconds = seconds
        self.begin = time.perf_counter() + warm_up
        self.end = self.begin + seconds
        self.took = array("d")
        self.answers = 0.0

    def note(self, asked: float) -> bool:
        """Note an answer; False when it is time to stop."""
        now = time.perf_counter()
        if asked >= self.begin and now <= self.end:
            self.answers += 1
            self.took.append(now - asked)
        elif asked < self.end and now > self.begin:
            self.answers += (min(now, self.end) - max(asked, self.begin)) / (now - asked)
            self.took.append(now - asked)
        return now < self.end

    def measured(self) -> Measured:
        if not self.took:
            raise LoadFailed("no answer was under way in the time of the measure")
        # Of a single one too.
        took = self.took if len(self.took) > 1 else self.took * 2
        cuts = quantiles(took, n=100, method="inclusive")
        return Measured(self.answers / self.seconds, cuts[49] * 1000, cuts[98] * 1000)


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request in flight."""

    transport: asyncio.Transport

    def __init__(self, requests: Iterator[bytes], clock: Clock) -> None:
        self.requests = requests
        self.clock = clock
        self.done = asyncio.get_running_loop().create_future()
        self.asked = 0.0
        self.missing = 0
        """Bytes of the body still to come; below zero while it comes in chunks."""
        self.pending = b""
        """A head that is not complete, or the last bytes of a body in chunks."""
        self.refusal = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self.ask()

    def ask(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.done.set_result(None)
            return
        self.asked = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.refusal:
            self.refusal += data
            return
        if self.missing > 0:
            self.missing -= len(data)
        elif self.missing < 0:
            self.read_chunks(data)
        elif not self.read_head(self.pending + data if self.pending else data):
            return
        if self.missing == 0:
            self.answered()

    def read_head(self, data: bytes) -> bool:
        """Take in the head and what came of the body; False while there is no whole head, or a bad one."""
        end = data.find(HEAD_END)
        if end < 0:
            self.pending = data
            return False
        self.pending = b""
        # 207 says of a bulk call that something was wrong with it.
        if data[9:10] != b"2" or data[9:12] == b"207":
            self.refusal = data
            asyncio.get_running_loop().call_later(REST_OF_REFUSAL, self.refuse)
            return False
        head = data[: end + 2].lower()
        at = head.find(LENGTH)
        if at >= 0:
            length = int(head[at + len(LENGTH) : head.index(b"\r\n", at + len(LENGTH))])
            self.missing = length - (len(data) - end - len(HEAD_END))
        elif CHUNKED in head:
            self.read_chunks(data[end + 2 :])
        return True

    def read_chunks(self, data: bytes) -> None:
        # Nothing follows an answer here, and JSON as servers write it holds no line ends: the mark of the
        # last chunk is at the end of what came, or it has not come.
        tail = (self.pending + data)[-len(LAST_CHUNK) :]
        ended = tail == LAST_CHUNK
        self.pending = b"" if ended else tail
        self.missing = 0 if ended else -1

    def answered(self) -> None:
        if self.clock.note(self.asked):
            self.ask()
        elif not self.done.done():
            self.done.set_result(None)

    def refuse(self) -> None:
        self.fail(self.refusal.decode(errors="replace")[:2000])

    def fail(self, message: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadFailed(message))
        self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self.refusal:
            self.refuse()
        else:
            self.fail(f"the server closed a connection: {error or 'it gave no reason'}")


async def through_http(order: Order, question: Question, port: int) -> Measured:
    requests = question.requests(order.facts)
    ground = islice(requests, question.beforehand)
    await keep_connected(min(1, question.beforehand), port, ground, Clock(0.0, math.inf))
    clock = start(order)
    await keep_connected(order.connections, port, requests, clock)
    return clock.measured()


async def keep_connected(connections: int, port: int, requests: Iterator[bytes], clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(requests, clock), HOST, port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in opened))


async def through_motor(order: Order, question: Question) -> Measured:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(order.uri)
    assert question.straight is not None
    ask = question.straight(client[order.database], order.facts)
    for _ in range(question.beforehand):
        await ask()
    clock = start(order)

    async def keep_asking() -> None:
        going_on = True
        while going_on:
            asked = time.perf_counter()
            await ask()
            going_on = clock.note(asked)

    await asyncio.gather(*(keep_asking() for _ in range(order.connections)))
    client.close()
    return clock.measured()


def start(order: Order) -> Clock:
    # What was made ready is not to be searched for garbage while time is taken.
    gc.collect()
    gc.freeze()
    return Clock(order.warm_up, order.seconds)


async def carry_out(order: Order) -> Measured:
    question = BY_KEY[order.question]
    try:
        async with asyncio.timeout(order.warm_up + order.seconds + LONGEST_ANSWER):
            if order.port is None:
                return await through_motor(order, question)
            return await through_http(order, question, order.port)
    except ConnectionError as error:
        raise LoadFailed(f"the server cannot be reached: {error}") from None
    except TimeoutError:
        raise LoadFailed(f"no answer within {LONGEST_ANSWER:g} s") from None


def main() -> None:
    given = json.load(sys.stdin)
    order = Order(**{**given, "facts": Facts(**given["facts"])})
    try:
        measured = uvloop.run(carry_out(order))
    except LoadFailed as failure:
        sys.exit(str(failure))
    json.dump(asdict(measured), sys.stdout)


if __name__ == "__main__":
    main()
