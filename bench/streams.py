"""The large ones: an upload and an export that are nowhere whole, and two clients with the same postings."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from threading import Barrier

from bench.bulk import ITEMS, new, posting_array, posting_lines
from bench.load import HOST, LoadFailed
from bench.question import Facts

PATIENCE = 900.0
BLOCK = 256 * 1024


class Lines:
    """NDJSON of new postings, a thousand at a time: of so many bytes, or a little more."""

    def __init__(self, size: int) -> None:
        self.mould = posting_lines()
        block = len(self.mould.cast(next(new(Facts(0, 0)))))
        self.blocks = -(-size // block)
        self.size = self.blocks * block
        self.postings = self.blocks * ITEMS

    def after(self, postings: int) -> Iterator[bytes]:
        """Numbered from there on."""
        return map(self.mould.cast, islice(new(Facts(postings, 0)), self.blocks))


def upload(port: int, lines: Iterator[bytes]) -> dict[str, int]:
    """Send them as one stream, in chunks; what the answer says."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=PATIENCE)) as connection:
        # If it does not read on, its answer may tell why.
        with suppress(ConnectionError):
            connection.request("POST", "/jobs/bulk", lines, {"Content-Type": "application/x-ndjson"})
        response = connection.getresponse()
        body = response.read()
    if response.status != 200:
        raise LoadFailed(f"the upload: {response.status} {body[:2000]!r}")
    summary: dict[str, int] = json.loads(body)["summary"]
    return summary


@dataclass
class Exported:
    lines: int = 0
    size: int = 0


def export(port: int) -> Exported:
    """Read the whole export, keeping nothing of it; now and then a line is looked at."""
    seen = Exported()
    last = ""
    ending = b""
    with closing(http.client.HTTPConnection(HOST, port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/jobs/export?is_active=any")
        response = connection.getresponse()
        if response.status != 200:
            raise LoadFailed(f"the export: {response.status} {response.read()[:2000]!r}")
        while block := response.read(BLOCK):
            seen.lines += block.count(b"\n")
            seen.size += len(block)
            ending = block[-1:]
            first = block.find(b"\n") + 1
            if line := block[first : block.find(b"\n", first) + 1]:
                this = json.loads(line)["id"]
                if this <= last:
                    raise LoadFailed(f"the export: {this} comes after {last}")
                last = this
    if ending != b"\n":
        raise LoadFailed("the export: its last line is not whole")
    return seen


@dataclass
class Raced:
    statuses: list[int]
    created: int
    unchanged: int


def race(port: int, postings: int, calls: int) -> Raced:
    """Two clients send the same postings, a thousand a call, each call at the same time."""
    start = Barrier(2, timeout=PATIENCE)
    with ThreadPoolExecutor(2) as clients:
        racing = [clients.submit(ingest, port, postings, calls, start) for _ in range(2)]
        answers = [answer for each in racing for answer in each.result()]
    summaries = [json.loads(body).get("summary", {}) for _, body in answers]
    return Raced(
        statuses=[status for status, _ in answers],
        created=sum(summary.get("created", 0) for summary in summaries),
        unchanged=sum(summary.get("unchanged", 0) for summary in summaries),
    )


def ingest(port: int, postings: int, calls: int, start: Barrier) -> list[tuple[int, bytes]]:
    answers = []
    mould = posting_array()
    with closing(http.client.HTTPConnection(HOST, port, timeout=PATIENCE)) as connection:
        for names in islice(new(Facts(postings, 0)), calls):
            body = mould.cast(names)
            start.wait()
            connection.request("POST", "/jobs/bulk", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answers.append((response.status, response.read()))
    return answers
