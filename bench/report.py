"""The figures as a table to read, and as JSON for programs."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import peers, questions
from bench.questions import Target
from bench.rounds import Results

APP = "app"
TEMPLATE = Path(__file__).with_name("page.md")


@dataclass(frozen=True)
class Verdict:
    text: str
    """What had to be reached."""
    wanted: float
    got: float

    @property
    def holds(self) -> bool:
        return self.got >= self.wanted


def verdicts(results: Results) -> Iterator[Verdict]:
    for target in questions.TARGETS:
        one, other = (target.question, APP), (target.other or target.question, target.peer)
        if results.has(*one) and results.has(*other):
            yield Verdict(described(target), target.times, results.ratio(one, other))


def described(target: Target) -> str:
    asked = questions.BY_KEY[target.question].title
    if target.other is not None:
        return (
            f"{asked}: within {1 / target.times:g} times the cost of {questions.BY_KEY[target.other].title}"
        )
    return f"{asked}: at least {target.times:g} times {peers.BY_KEY[target.peer].title}"


def as_json(results: Results) -> dict[str, Any]:
    return {
        "machine": asdict(results.machine),
        "postings": results.plan.postings,
        "connections": results.plan.connections,
        "seconds": results.plan.seconds,
        "measured": [
            {
                "question": question,
                "peer": peer,
                "unit": questions.BY_KEY[question].unit,
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
    parts = [figures(results), ratios(results), targets(results)]
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


def targets(results: Results) -> str:
    rows = [
        (verdict.text, f"{verdict.wanted:.2f}", f"{verdict.got:.2f}", "yes" if verdict.holds else "**no**")
        for verdict in verdicts(results)
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
    )
