"""`python -m bench.endurance`: a gigabyte in, a million postings out, two clients with the same postings."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPException
from random import Random
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.database import Database

from backend.mongod import MongodFailed, MongodUnavailable, temporary
from bench import others, streams
from bench.__main__ import directory, positive, teller
from bench.bulk import ITEMS
from bench.load import LoadFailed
from bench.machine import describe
from bench.peers import Peer, PeerFailed, Server, serving
from bench.postings import posting_id
from bench.questions import LIMIT
from bench.report import Verdict
from bench.residence import ProcessLost, watched
from bench.rounds import CACHE_GB, DATABASE, Say, make_indexes, store
from bench.stretches import Seen, Stretch, page, tables

EXAMPLES = """examples:
  python -m bench.endurance                               everything, about three minutes; prints what it saw
  python -m bench.endurance --docs docs                   the same, and writes docs/endurance.md
  python -m bench.endurance --megabytes 50 --postings 60000 --race 5000      a short try
"""

SERVED = Peer(
    "served",
    "aijobhunt serve --workers 2",
    lambda port: ["backend.cli", "serve", "--workers", "2", "--port", str(port)],
    ready="/readyz",
)
QUIET_SECONDS = 5.0
BROKEN_OFF = (LoadFailed, PeerFailed, ProcessLost, MongodUnavailable, MongodFailed, HTTPException, OSError)

T = TypeVar("T")


def main() -> None:
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    say = teller(sys.stderr.isatty())
    try:
        seen = run(arguments.megabytes * 10**6, arguments.postings, arguments.race, say)
    except BROKEN_OFF as failure:
        sys.exit(f"\nThe run broke off. {failure}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    print(file=sys.stderr)
    print(tables(seen))
    if arguments.docs:
        (arguments.docs / "endurance.md").write_text(page(seen))
        print("Written: endurance.md", file=sys.stderr)
    if not all(verdict.holds for verdict in seen.verdicts):
        sys.exit("A limit was missed.")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench.endurance",
        description="Upload and export more than would fit; see what memory and other requests do meanwhile.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--megabytes", type=positive(int), default=1_000, metavar="N", help="to upload (%(default)s)"
    )
    made.add_argument(
        "--postings", type=positive(int), default=1_000_000, metavar="N", help="to export (%(default)s)"
    )
    made.add_argument(
        "--race",
        type=positive(int),
        default=50_000,
        metavar="N",
        help="from two clients at once (%(default)s)",
    )
    made.add_argument("--docs", type=directory, metavar="DIR", help="write endurance.md there")
    return made


class Run:
    """One server, and what is done to it."""

    def __init__(self, server: Server, seen: Seen, stored: int, say: Say) -> None:
        self.server = server
        self.seen = seen
        self.stored = stored
        """How many postings there are whose ids are known."""
        self.say = say

    def stretch(
        self, name: str, do: Callable[[], T], told: Callable[[T, float], str], *, limited: bool = False
    ) -> T:
        self.say(f"{name} ...")
        kinds = {
            "a posting by id": self.some_posting(),
            f"a page of {LIMIT}": others.again(f"/jobs/?limit={LIMIT}"),
            "/livez": others.again("/livez"),
        }
        with watched(self.server.pid) as residents, others.asked(self.server.port, kinds) as timed:
            begin = time.perf_counter()
            outcome = do()
            seconds = time.perf_counter() - begin
        done = told(outcome, seconds)
        self.seen.stretches.append(Stretch(name, seconds, done, residents, timed, limited))
        self.say(f"{name}: {seconds:.1f} s, {done}")
        return outcome

    def some_posting(self) -> Iterator[str]:
        chance = Random(0)
        while True:
            yield f"/jobs/{posting_id(chance.randrange(self.stored))}"

    def must_be(self, text: str, wanted: int, got: int) -> None:
        self.seen.exact.append(Verdict(text, wanted, got, digits=0, needs="exactly"))


def run(size: int, postings: int, raced: int, say: Say) -> Seen:
    lines = streams.Lines(size)
    before = max(postings - lines.postings, 1_000)
    with ExitStack() as stack:
        say("starting mongod")
        uri = stack.enter_context(temporary(cache_gb=CACHE_GB)).uri
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(uri))
        database = client[DATABASE]
        seen = Seen(describe(str(client.server_info()["version"])), lines.size, before + lines.postings)
        make_indexes(database)
        for done, _ in store(database, before):
            say(f"{done:,} of {before:,} postings stored beforehand")
        say(f"starting {SERVED.title}")
        server = stack.enter_context(serving(SERVED, uri, DATABASE))
        assert server is not None
        doing = Run(server, seen, before, say)
        doing.stretch("at rest", lambda: time.sleep(QUIET_SECONDS), lambda *_: "")
        uploaded(doing, lines, database)
        exported(doing)
        raced_for(doing, raced // ITEMS, database)
        return seen


def uploaded(run: Run, lines: streams.Lines, database: Database[dict[str, Any]]) -> None:
    summary = run.stretch(
        "upload",
        lambda: streams.upload(run.server.port, lines.after(run.stored)),
        lambda _, seconds: (
            f"{lines.size / 1e6:,.0f} MB, {lines.postings:,} postings: "
            f"{lines.postings / seconds:,.0f} postings/s, {lines.size / 1e6 / seconds:.0f} MB/s"
        ),
        limited=True,
    )
    run.must_be("upload: postings created", lines.postings, summary["created"])
    run.must_be("upload: postings stored afterwards", run.seen.postings, count(database))


def exported(run: Run) -> None:
    read = run.stretch(
        "export",
        lambda: streams.export(run.server.port),
        lambda read, seconds: (
            f"{read.size / 1e6:,.0f} MB, {read.lines:,} postings: "
            f"{read.lines / seconds:,.0f} postings/s, {read.size / 1e6 / seconds:.0f} MB/s"
        ),
        limited=True,
    )
    run.must_be("export: lines", run.seen.postings, read.lines)


def raced_for(run: Run, calls: int, database: Database[dict[str, Any]]) -> None:
    before = run.seen.postings
    postings = calls * ITEMS
    outcome = run.stretch(
        "two clients",
        lambda: streams.race(run.server.port, before, calls),
        lambda raced, seconds: (
            f"{postings:,} postings twice: {2 * postings / seconds:,.0f} postings/s, "
            f"{raced.created:,} created, {raced.unchanged:,} unchanged"
        ),
    )
    run.must_be("two clients: postings created, as told", postings, outcome.created)
    run.must_be("two clients: postings more in the database", postings, count(database) - before)
    run.must_be("two clients: answers of 200", 2 * calls, outcome.statuses.count(200))


def count(database: Database[dict[str, Any]]) -> int:
    return database["jobs"].count_documents({})


if __name__ == "__main__":
    main()
