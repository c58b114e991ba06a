"""What was seen: how long each kind of question took, and whether that is within its target."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.machine import Machine
from bench.report import table
from bench.search.questions import DEEP, SLACK


@dataclass
class Figure:
    group: str
    kind: str
    most: float
    """That p95 may be, in ms."""
    took: list[float] = field(default_factory=list)
    found: list[int] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return median(self.took)

    @property
    def p95(self) -> float:
        """What 95 of a hundred did not take longer than."""
        return sorted(self.took)[math.ceil(0.95 * len(self.took)) - 1]

    @property
    def holds(self) -> bool:
        return self.p95 <= self.most


@dataclass
class Depth:
    order: str
    first: list[float] = field(default_factory=list)
    deep: list[float] = field(default_factory=list)

    @property
    def times(self) -> float:
        return median(self.deep) / median(self.first)

    @property
    def holds(self) -> bool:
        return self.times <= SLACK


@dataclass
class Seen:
    machine: Machine
    postings: int
    questions: int
    """Of each kind."""
    cache_gb: float
    megabytes: dict[str, float]
    figures: list[Figure] = field(default_factory=list)
    depths: list[Depth] = field(default_factory=list)

    @property
    def groups(self) -> dict[str, list[Figure]]:
        found: dict[str, list[Figure]] = {}
        for figure in self.figures:
            found.setdefault(figure.group, []).append(figure)
        return found

    @property
    def hold(self) -> bool:
        return all(figure.holds for figure in self.figures) and all(depth.holds for depth in self.depths)


def tables(seen: Seen) -> str:
    return "\n\n".join(_tables(seen))


def _tables(seen: Seen) -> Iterator[str]:
    for title, figures in seen.groups.items():
        rows = [
            (one.kind, f"{one.middle:.1f}", f"{one.p95:.1f}", f"{one.most:,.0f}", _said(one.holds))
            for one in figures
        ]
        yield table((title, "median ms", "p95 ms", "target", "holds"), "lrrrl", rows)
    pages = [
        (
            one.order,
            f"{median(one.first):.1f}",
            f"{median(one.deep):.1f}",
            f"{one.times:.2f}",
            f"{SLACK:g}",
            _said(one.holds),
        )
        for one in seen.depths
    ]
    yield table(("sort", "page 1, median ms", f"page {DEEP}", "times", "target", "holds"), "lrrrrl", pages)


def _said(holds: bool) -> str:
    return "yes" if holds else "**no**"
