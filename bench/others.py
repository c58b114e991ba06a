"""The other requests: a steady few of each kind, timed while something large is going on.

Each is due at a time of its own, and timed from then, whether it is sent at once or has to wait. They take
turns on connections that were opened beforehand, so that all workers are asked.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count, cycle
from statistics import quantiles
from threading import Thread

from bench.load import HEAD_END, HOST, LENGTH
from bench.question import get

EVERY = 0.02
CONNECTIONS = 8
# Until all connections are open.
SETTLING = 0.2
PATIENCE = 30.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Timed:
    """How long the requests of one kind took, in milliseconds."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.failed: list[str] = []

    def at(self, percent: int) -> float:
        return quantiles(self.took, n=100, method="inclusive")[percent - 1]


@contextmanager
def asked(port: int, kinds: Mapping[str, Iterator[str]]) -> Iterator[dict[str, Timed]]:
    """Ask for paths of each kind until the block ends; then it is known how long they took."""
    timed = {kind: Timed() for kind in kinds}
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def ask_all() -> None:
        begin = time.perf_counter() + SETTLING
        await asyncio.gather(
            *(
                keep_asking(port, paths, timed[kind], begin + place * EVERY, over)
                for kind, paths in kinds.items()
                for place in range(CONNECTIONS)
            )
        )

    thread = Thread(target=loop.run_until_complete, args=[ask_all()])
    thread.start()
    try:
        yield timed
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def keep_asking(
    port: int, paths: Iterator[str], timed: Timed, begin: float, over: asyncio.Event
) -> None:
    """One connection's share of them."""
    streams = await asyncio.open_connection(HOST, port)
    for number in count():
        due = begin + number * EVERY * CONNECTIONS
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if over.is_set():
            break
        try:
            async with asyncio.timeout(PATIENCE):
                status = await exchange(streams, get(next(paths)))
        except (OSError, EOFError, TimeoutError) as error:
            status = type(error).__name__
            streams[1].close()
            streams = await asyncio.open_connection(HOST, port)
        timed.took.append((time.perf_counter() - due) * 1000)
        if status != "200":
            timed.failed.append(status)
    streams[1].close()


async def exchange(streams: Streams, request: bytes) -> str:
    """Ask; the status of the answer, read to its end."""
    reader, writer = streams
    writer.write(request)
    head = (await reader.readuntil(HEAD_END)).lower()
    at = head.index(LENGTH) + len(LENGTH)
    await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
    return head[9:12].decode()


def again(path: str) -> Iterator[str]:
    return cycle([path])
