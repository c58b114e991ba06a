"""`python -m bench.scale`: the rate of new postings in bulk against how many are stored."""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pymongo import MongoClient

from backend.mongod import MongodFailed, MongodUnavailable, temporary
from bench import peers, questions
from bench.__main__ import directory, positive, teller
from bench.curve import Line, curve
from bench.load import LoadFailed, Order
from bench.machine import Machine, describe
from bench.peers import PeerFailed, serving
from bench.question import Facts
from bench.report import APP, Verdict, table, verdict_table
from bench.rounds import CACHE_GB, DATABASE, Say, make_indexes, measure, removed, store

EXAMPLES = """examples:
  python -m bench.scale                           up to a million, about six minutes; prints what it saw
  python -m bench.scale --docs docs               the same, and writes docs/ingestion.svg
  python -m bench.scale --sizes 2000 20000 --rounds 2    a short try
"""

QUESTION = questions.BY_KEY["bulk-new"]
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
ASKED = ("motor", APP)
KEPT = 0.7
"""How much of the rate at the first size there has to be at the last."""
# Short, lest a small collection be a large one by the end of the measure.
WARM_UP = 0.3
SECONDS = 0.7


@dataclass
class Seen:
    sizes: Sequence[int]
    asked: Sequence[str]
    machine: Machine
    rates: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    def rate(self, peer: str, size: int) -> float:
        return median(self.rates[peer, size])

    @property
    def verdicts(self) -> list[Verdict]:
        if APP not in self.asked:
            return []
        first, last = self.sizes[0], self.sizes[-1]
        text = f"{QUESTION.title}: at {last:,} stored at least {KEPT:g} times the rate at {first:,}"
        return [Verdict(text, KEPT, self.rate(APP, last) / self.rate(APP, first))]


def main() -> None:
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        seen = run(sorted(arguments.sizes), arguments.peers, arguments.rounds, teller(sys.stderr.isatty()))
    except (LoadFailed, PeerFailed, MongodUnavailable, MongodFailed) as failure:
        sys.exit(f"\nThe benchmark broke off. {failure}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    print(file=sys.stderr)
    print(figures(seen))
    print()
    print(verdict_table(seen.verdicts))
    if arguments.docs:
        (arguments.docs / "ingestion.svg").write_text(chart(seen))
        print("Written: ingestion.svg", file=sys.stderr)
    if not all(verdict.holds for verdict in seen.verdicts):
        sys.exit("A target was missed.")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench.scale",
        description="Measure new postings in bulk while the collection grows, beside Motor alone.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--sizes", nargs="+", type=positive(int), default=SIZES, metavar="N", help="postings")
    made.add_argument("--rounds", type=positive(int), default=9, metavar="N", help="measures a size (9)")
    made.add_argument("--peers", nargs="+", choices=QUESTION.peers, default=ASKED, help="who is asked")
    made.add_argument("--docs", type=directory, metavar="DIR", help="write ingestion.svg there")
    return made


def run(sizes: Sequence[int], asked: Sequence[str], rounds: int, say: Say) -> Seen:
    with ExitStack() as stack:
        say("starting mongod")
        uri = stack.enter_context(temporary(cache_gb=CACHE_GB)).uri
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(uri))
        database = client[DATABASE]
        make_indexes(database)
        seen = Seen(sizes, asked, describe(str(client.server_info()["version"])))
        servers = {key: stack.enter_context(serving(peers.BY_KEY[key], uri, DATABASE)) for key in asked}
        stored = 0
        for size in sizes:
            for done, _ in store(database, size, after=stored):
                say(f"{done:,} of {sizes[-1]:,} postings stored")
            stored = size
            for number in range(rounds):
                for key in asked if number % 2 == 0 else asked[::-1]:
                    server = servers[key]
                    order = Order(
                        question=QUESTION.key,
                        facts=Facts(size, number),
                        connections=QUESTION.in_flight[key],
                        warm_up=WARM_UP,
                        seconds=SECONDS,
                        port=server.port if server else None,
                        uri=uri,
                        database=DATABASE,
                    )
                    title = peers.BY_KEY[key].title
                    with removed(database, size):
                        measured = measure(order, title)
                    rate = measured.per_second * QUESTION.weight
                    seen.rates.setdefault((key, size), []).append(rate)
                    say(f"{size:,} stored, round {number + 1} of {rounds}: {title}: {rate:,.0f} documents/s")
        return seen


def figures(seen: Seen) -> str:
    rows = []
    for size in seen.sizes:
        row = [f"{size:,}"]
        for peer in seen.asked:
            rates = seen.rates[peer, size]
            row += [f"{seen.rate(peer, size):,.0f}", f"{min(rates):,.0f}-{max(rates):,.0f}"]
        rows.append(row)
    heads = [head for peer in seen.asked for head in (peers.BY_KEY[peer].title, "worst-best round")]
    return table(("stored", *heads), "r" * (1 + len(heads)), rows)


def chart(seen: Seen) -> str:
    machine = seen.machine
    lines = [
        Line(peers.BY_KEY[peer].title, [seen.rate(peer, size) for size in seen.sizes], peer == APP)
        for peer in seen.asked
    ]
    reached = [
        f"At {seen.sizes[-1]:,}: {verdict.got:.2f} times the rate at {seen.sizes[0]:,}. "
        for verdict in seen.verdicts
    ]
    return curve(
        "New postings in bulk, documents a second, by how many are stored",
        f"{''.join(reached)}{machine.date}, {machine.cores} cores of {machine.cpu}, mongod {machine.mongod}",
        seen.sizes,
        lines,
    )


if __name__ == "__main__":
    main()
