"""What the parts of a long run showed, and docs/endurance.md."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import others
from bench.machine import Machine
from bench.others import Timed
from bench.report import Verdict, table, verdict_table
from bench.residence import Resident

TEMPLATE = Path(__file__).with_name("endurance.md")
MEMORY_MIB = 200.0
P99_MS = 250.0


@dataclass(frozen=True)
class Stretch:
    """What one part of the run showed."""

    name: str
    seconds: float
    done: str
    residents: list[Resident]
    timed: dict[str, Timed]
    limited: bool
    """Whether the limits are for it."""


@dataclass
class Seen:
    machine: Machine
    size: int
    postings: int
    stretches: list[Stretch] = field(default_factory=list)
    exact: list[Verdict] = field(default_factory=list)
    """Counts that have to be just so."""

    @property
    def verdicts(self) -> Iterator[Verdict]:
        for stretch in self.stretches:
            if stretch.limited:
                most = max(resident.most for resident in stretch.residents)
                text = f"{stretch.name}: MiB that a process of the app took at most"
                yield Verdict(text, MEMORY_MIB, most, digits=0, needs="at most")
                for kind, timed in stretch.timed.items():
                    text = f"{stretch.name}: p99 of {kind}, ms"
                    yield Verdict(text, P99_MS, timed.at(99), digits=0, needs="at most")
            failed = sum(len(timed.failed) for timed in stretch.timed.values())
            yield Verdict(f"{stretch.name}: other requests that failed", 0, failed, digits=0, needs="exactly")
        yield from self.exact


def tables(seen: Seen) -> str:
    parts = (done_table(seen), memory_table(seen), latency_table(seen), verdict_table(seen.verdicts))
    return "\n\n".join(parts)


def done_table(seen: Seen) -> str:
    rows = [(stretch.name, f"{stretch.seconds:.1f}", stretch.done) for stretch in seen.stretches]
    return table(("what", "s", "how much"), "lrl", rows)


def memory_table(seen: Seen) -> str:
    """The median and the most, in MiB, of each process."""
    names = [resident.name for resident in seen.stretches[0].residents]
    rows = [
        (stretch.name, *(f"{median(each.now):.0f}, {each.most:.0f}" for each in stretch.residents))
        for stretch in seen.stretches
    ]
    return table(("MiB resident: median, most", *names), "l" + "r" * len(names), rows)


def latency_table(seen: Seen) -> str:
    kinds = list(seen.stretches[0].timed)
    rows = []
    for stretch in seen.stretches:
        cells = [
            f"{timed.at(50):.1f}, {timed.at(99):.1f}, {max(timed.took):.1f}"
            for timed in stretch.timed.values()
        ]
        rows.append((stretch.name, *cells))
    return table(("other requests, ms: p50, p99, most", *kinds), "l" + "r" * len(kinds), rows)


def page(seen: Seen) -> str:
    """docs/endurance.md."""
    return TEMPLATE.read_text().format(
        tables=tables(seen),
        seen=seen,
        machine=seen.machine,
        every=round(others.EVERY * 1000),
        connections=others.CONNECTIONS,
        megabytes=seen.size / 1e6,
    )
