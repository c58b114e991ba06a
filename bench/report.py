"""The figures as a table to read, and as JSON for programs."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bench import bulk, matches, peers, questions
from bench.question import Floor, Target
from bench.rounds import Plan, Results

APP = "app"
TEMPLATE = Path(__file__).with_name("page.md")


@dataclass(frozen=True)
class Verdict:
    text: str
    """What had to be reached."""
    wanted: float
    got: float
    digits: int = 2
    needs: Literal["at least", "at most", "exactly"] = "at least"

    @property
    def holds(self) -> bool:
        enough, not_too_much = self.got >= self.wanted, self.got <= self.wanted
        return (enough or self.needs == "at most") and (not_too_much or self.needs == "at least")


def verdicts(results: Results) -> Iterator[Verdict]:
    for target in questions.TARGETS:
        asked = questions.BY_KEY[target.question]
        if not results.has(asked.key, APP):
            continue
        if isinstance(target, Floor):
            rate = results.rate(asked, APP)
            yield Verdict(f"{asked.title}: {asked.unit} a second", target.least, rate, digits=0)
            continue
        one, other = (asked.key, APP), (target.other or asked.key, target.peer)
        if results.has(*other):
            yield Verdict(described(target), target.times, results.ratio(one, other))


def described(target: Target) -> str:
    asked = questions.BY_KEY[target.question].title
    other = questions.BY_KEY[target.other].title if target.other else ""
    if target.peer == APP:
        return f"{asked}: within {1 / target.times:g} times the cost of {other}"
    peer = peers.BY_KEY[target.peer].title
    return f"{asked}: at least {target.times:g} times {peer}{other and f' at {other}'}"


def as_json(results: Results) -> dict[str, Any]:
    return {
        "machine": asdict(results.machine),
        "postings": results.plan.postings,
        "seconds": results.plan.seconds,
        "measured": [
            {
                "question": question,
                "peer": peer,
                "unit": questions.BY_KEY[question].unit,
                "connections": results.plan.at_once(questions.BY_KEY[question], peers.BY_KEY[peer]),
                "weight": questions.BY_KEY[question].weight,
                **asdict(results.middle(question, peer)),
                "rounds": [asdict(measured) for measured in rounds],
            }
            for (question, peer), rounds in results.measured.items()
        ],
        "targets": [{**asdict(verdict), "holds": verdict.holds} for verdict in verdicts(results)],
    }


def tables(results: Results) -> str:
    """The figures, the ratios and the targets, as Markdown."""
    parts = [figures(results), ratios(results), verdict_table(verdicts(results))]
    return "\n\n".join(part for part in parts if part)


def figures(results: Results) -> str:
    rows = []
    for question, peer in results.plan.pairs:
        middle = results.middle(question.key, peer.key)
        rates = [m.per_second * question.weight for m in results.measured[question.key, peer.key]]
        rows.append(
            (
                question.title,
                peer.title,
                f"{results.rate(question, peer.key):,.0f} {question.unit}",
                f"{min(rates):,.0f}-{max(rates):,.0f}",
                f"{middle.p50:.1f}",
                f"{middle.p99:.1f}",
            )
        )
    return table(("question", "asked", "a second", "worst-best round", "p50 ms", "p99 ms"), "llrrrr", rows)


def ratios(results: Results) -> str:
    others = [peer for peer in results.plan.peers if peer.key != APP]
    rows = []
    for question in results.plan.questions:
        mine = (question.key, APP)
        pairs = [(question.key, peer.key) for peer in others]
        if results.has(*mine) and any(results.has(*pair) for pair in pairs):
            ratio = [f"{results.ratio(mine, pair):.2f}" if results.has(*pair) else "" for pair in pairs]
            rows.append((question.title, *ratio))
    heads = ("this app is so many times as fast as", *(peer.title for peer in others))
    return table(heads, "l" + "r" * len(others), rows) if rows else ""


def verdict_table(found: Iterable[Verdict]) -> str:
    rows = [
        (
            verdict.text,
            f"{verdict.wanted:,.{verdict.digits}f}",
            f"{verdict.got:,.{verdict.digits}f}",
            "yes" if verdict.holds else "**no**",
        )
        for verdict in found
    ]
    return table(("target", "needed", "reached", "holds"), "lrrl", rows) if rows else ""


def table(heads: Iterable[str], alignment: str, rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table whose columns line up in a terminal too."""
    cells = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(alignment))]

    def line(row: list[str]) -> str:
        padded = (
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, alignment, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width - 1) + (":" if side == "r" else "-")
        for width, side in zip(widths, alignment, strict=True)
    ]
    return "\n".join([line(cells[0]), line(rule), *(line(row) for row in cells[1:])])


def page(results: Results) -> str:
    """docs/benchmark.md."""
    plan, machine = results.plan, results.machine
    return TEMPLATE.read_text().format(
        tables=tables(results),
        plan=plan,
        machine=machine,
        versions=", ".join(f"{name} {number}" for name, number in machine.packages.items()),
        limit=questions.LIMIT,
        deep_page=questions.DEEP_PAGE,
        items=bulk.ITEMS,
        again=bulk.ITEMS * bulk.CALLS,
        users=matches.USERS,
        matches=matches.MATCHES,
        a_time=matches.A_TIME,
        users_a_call=bulk.ITEMS // matches.A_TIME,
        in_flight="\n".join(in_flight(plan)),
    )


def in_flight(plan: Plan) -> Iterator[str]:
    """How many calls in bulk each has under way, a line a question."""
    for question in plan.questions:
        if question.bulk:
            of_each = [
                f"{peer.title} {plan.at_once(question, peer)}"
                for peer in plan.peers
                if peer.key in question.peers
            ]
            yield f"  - {question.title}: {'; '.join(of_each)}"
