"""`python -m bench`: measure this app beside its peers, on one database, in one run."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from backend.mongod import MongodFailed, MongodUnavailable
from bench import chart, peers, questions, report
from bench.load import LoadFailed
from bench.peers import ROOT, PeerFailed
from bench.rounds import Plan, Say, run

EXAMPLES = """examples:
  python -m bench                                 everything, about twelve minutes; writes docs/benchmark.md
  python -m bench --quick                         a short try of everything; writes nothing
  python -m bench --peers minimal app --questions page --rounds 15
  python -m bench --peers app --questions bulk-new --in-flight 4
  python -m bench --json > figures.json           for programs; progress goes to standard error
"""

POSTINGS = 100_000
# The fewest that have a page 1,000.
FEW_POSTINGS = questions.LIMIT * questions.DEEP_PAGE


def main() -> None:
    arguments = parser().parse_args()
    plan = planned(arguments)
    whole = not (arguments.quick or arguments.peers or arguments.questions)
    docs = arguments.docs or (ROOT / "docs" if whole else None)
    if lacking := peers.missing(plan.peers):
        sys.exit(f"Not installed: {', '.join(lacking)}. Run `make bench`, or choose others with --peers.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        results = run(plan, teller(sys.stderr.isatty()))
    except (LoadFailed, PeerFailed, MongodUnavailable, MongodFailed) as failure:
        sys.exit(f"\nThe benchmark broke off. {failure}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(json.dumps(report.as_json(results), indent=2) if arguments.json else report.tables(results))
    if docs:
        (docs / "benchmark.md").write_text(report.page(results))
        (docs / "benchmark.svg").write_text(chart.chart(results))
        print("Written: benchmark.md and benchmark.svg", file=sys.stderr)
    if arguments.strict and not all(verdict.holds for verdict in report.verdicts(results)):
        sys.exit("A target was missed.")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure this app beside Motor alone, a minimal FastAPI app and Eve.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--quick", action="store_true", help="one short round on half the postings")
    made.add_argument("--rounds", type=positive(int), metavar="N", help="how often each is measured (9)")
    made.add_argument("--seconds", type=positive(float), metavar="S", help="how long each time (1.5)")
    made.add_argument("--in-flight", type=positive(int), metavar="N", help="how many requests at once")
    made.add_argument("--peers", nargs="+", choices=list(peers.BY_KEY), help="only these")
    made.add_argument("--questions", nargs="+", choices=list(questions.BY_KEY), help="only these")
    made.add_argument(
        "--docs",
        type=directory,
        metavar="DIR",
        help="write benchmark.md and benchmark.svg there (docs, when all is measured in full)",
    )
    made.add_argument("--json", action="store_true", help="print JSON instead of tables")
    made.add_argument("--strict", action="store_true", help="fail when a target is missed")
    return made


def positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError("must be more than zero")
        return value

    return number


def directory(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError("is no directory")
    return Path(text)


def planned(arguments: argparse.Namespace) -> Plan:
    quick = arguments.quick
    chosen = arguments.peers or list(peers.BY_KEY)
    asked = arguments.questions or list(questions.BY_KEY)
    return Plan(
        questions=[question for question in questions.QUESTIONS if question.key in asked],
        peers=[peer for peer in peers.PEERS if peer.key in chosen],
        postings=FEW_POSTINGS if quick else POSTINGS,
        rounds=arguments.rounds or (1 if quick else 9),
        warm_up=0.2 if quick else 0.5,
        seconds=arguments.seconds or (0.5 if quick else 1.5),
        connections=32,
        in_flight=arguments.in_flight,
    )


def teller(in_place: bool) -> Say:
    """Says how far it is: on one line of a terminal, else line by line."""

    def say(what: str) -> None:
        print(
            f"\r\x1b[2K{what}" if in_place else what,
            end="" if in_place else "\n",
            file=sys.stderr,
            flush=True,
        )

    return say


if __name__ == "__main__":
    main()
