"""`python -m bench.search`: what search, filters, facets and saved searches take at a million postings."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path

from pymongo.errors import PyMongoError

from backend.mongod import MongodFailed, MongodUnavailable
from bench import peers
from bench.__main__ import directory, positive, teller
from bench.load import LoadFailed
from bench.machine import describe
from bench.peers import PeerFailed
from bench.report import APP
from bench.rounds import DATABASE, Say
from bench.search import asking, store, vocabulary
from bench.search.chart import chart
from bench.search.figures import Figure, Seen, tables
from bench.search.postings import LENGTH
from bench.search.questions import ALL, COMMON, DEEP, GROUPS, LIMIT, ORDERS
from bench.search.saved import counted

EXAMPLES = """examples:
  python -m bench.search                               everything, about twelve minutes; prints what it saw
  python -m bench.search --docs docs                   the same, and writes docs/search.md and docs/search.svg
  python -m bench.search --keep /tmp/search            keeps the postings there, for the next time
  python -m bench.search --postings 50000 --questions 10    a short try
"""

POSTINGS = 1_000_000
QUESTIONS = 60
# Of which there are a page 500 and those that follow.
FEWEST = 50_000
# The app makes itself a picture of how frequent each word is.
SECONDS_TO_SETTLE = 10.0
TEMPLATE = Path(__file__).with_name("page.md")
BROKEN_OFF = (
    LoadFailed,
    PeerFailed,
    MongodUnavailable,
    MongodFailed,
    HTTPException,
    PyMongoError,
    OSError,
)


def main() -> None:
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    say = teller(sys.stderr.isatty())
    try:
        seen = run(max(FEWEST, arguments.postings), arguments.questions, arguments.keep, say)
    except BROKEN_OFF as failure:
        sys.exit(f"\nThe benchmark broke off. {failure}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    print(file=sys.stderr)
    print(tables(seen))
    if arguments.docs:
        (arguments.docs / "search.md").write_text(page(seen))
        (arguments.docs / "search.svg").write_text(chart(seen))
        print("Written: search.md and search.svg", file=sys.stderr)
    if not seen.hold:
        sys.exit("A target was missed.")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench.search",
        description="Measure what a client waits for search, filters, facets and saved searches.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--postings", type=positive(int), default=POSTINGS, metavar="N", help="(%(default)s)")
    made.add_argument(
        "--questions", type=positive(int), default=QUESTIONS, metavar="N", help="of each kind (%(default)s)"
    )
    made.add_argument("--keep", type=Path, metavar="DIR", help="keep the database there, and go on from it")
    made.add_argument("--docs", type=directory, metavar="DIR", help="write search.md and search.svg there")
    return made


def run(postings: int, questions: int, keep: Path | None, say: Say) -> Seen:
    with ExitStack() as stack:
        say("starting mongod")
        uri = stack.enter_context(store.serving(keep)).uri
        database, megabytes = store.filled(uri, postings, say)
        stack.enter_context(database.client)
        store.warmed(database, say)
        machine = describe(str(database.client.server_info()["version"]))
        seen = Seen(machine, postings, questions, store.cache_gb(), megabytes)
        say("starting the app")
        server = stack.enter_context(peers.serving(peers.BY_KEY[APP], uri, DATABASE))
        assert server is not None
        time.sleep(SECONDS_TO_SETTLE)
        client = stack.enter_context(asking.client(server.port))
        for order in ORDERS:
            depth = asking.deep(client, order, questions)
            say(f"sort={order}: a deep page takes {depth.times:.2f} times as long as the first")
            seen.depths.append(depth)
        for figure in figures(client, database, seen, say):
            say(f"{figure.group}, {figure.kind}: median {figure.middle:.1f} ms, p95 {figure.p95:.1f} ms")
            seen.figures.append(figure)
        return seen


def figures(client: asking.Client, database: store.Store, seen: Seen, say: Say) -> Iterator[Figure]:
    how_many = seen.questions, seen.postings
    for group in GROUPS:
        yield from (asking.answered(client, group, kind, *how_many) for kind in group.kinds)
    yield from counted(client, database, *how_many)
    say("waiting until all postings have been counted")
    asking.until_counted(client)
    yield from (asking.answered(client, ALL, kind, *how_many) for kind in ALL.kinds)


def page(seen: Seen) -> str:
    """docs/search.md."""
    return TEMPLATE.read_text().format(
        tables=tables(seen),
        seen=seen,
        machine=seen.machine,
        warm_up=asking.WARM_UP,
        limit=LIMIT,
        deep=DEEP,
        length=LENGTH,
        words=vocabulary.WORDS,
        common=len(COMMON),
        titles=len(vocabulary.TITLES.things),
        companies=vocabulary.COMPANIES,
        places=vocabulary.PLACES,
        **seen.megabytes,
    )


if __name__ == "__main__":
    main()
