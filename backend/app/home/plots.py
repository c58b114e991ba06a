"""Plots as SVG that stretch to any width: across in percent, up in pixels, so that text keeps its size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.app.home.text import day, full_day, plain, short, whole
from backend.app.models.base import Document

REST = "rest"
"""The class of what comes from none of the named."""
GAP = 0.26
"""Of the room for a bar."""
ROOM_ABOVE, ROOM_BELOW = 20, 24
EVERY_THIRD = 3
STEPS = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Part:
    kind: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Bar:
    week: str
    parts: Sequence[Part]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)


def of_postings(weeks: Sequence[Document]) -> list[Bar]:
    """A part for each source, and one for the rest."""
    bars = []
    for week in weeks:
        named = [
            Part(f"s{index}", one["source_platform"], one["postings"])
            for index, one in enumerate(week["by_source"])
        ]
        # The two were counted one after the other, and somebody may have written meanwhile.
        rest = max(0, week["postings"] - sum(part.count for part in named))
        bars.append(Bar(week["week"], [*named, Part(REST, "Other", rest)]))
    return bars


def of_applications(weeks: Sequence[Document]) -> list[Bar]:
    return [Bar(week["week"], [Part("s0", "Applications", week["applications"])]) for week in weeks]


def plot(key: str, title: str, bars: Sequence[Bar], height: int) -> str:
    """Stacked bars by week. Read out, it is its title and a sentence; the table below it has the numbers."""
    top = ceiling(max(bar.total for bar in bars))
    foot = f'<line class="foot" x1="0" x2="100%" y1="{ROOM_ABOVE + height}" y2="{ROOM_ABOVE + height}"/>'
    shapes = "".join([*_grid(top, height), *_bars(bars, top, height), foot])
    best = max(bars, key=lambda bar: bar.total)
    return (
        f'<svg class="plot" role="img" aria-labelledby="{key}-title {key}-about" width="100%" '
        f'height="{height + ROOM_ABOVE + ROOM_BELOW}">'
        f'<title id="{key}-title">{title}</title>'
        f'<desc id="{key}-about">{len(bars)} weeks up to the present one: {whole(bars[-1].total)} in that, '
        f"at most {whole(best.total)}, in the week of {full_day(best.week)}.</desc>{shapes}</svg>"
    )


def ceiling(most: int) -> int:
    """The least round number that is as much, and even, since half of it is written too."""
    size = 1
    while most > 10 * size:
        size *= 10
    rounded = (round(step * size) for step in STEPS)
    return max(4, next(number for number in rounded if most <= number and number % 2 == 0))


def _grid(top: int, height: int) -> Iterator[str]:
    for quarter in (0, 2, 4):
        y = ROOM_ABOVE + height * (1 - quarter / 4)
        yield f'<line class="grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>'
        yield f'<text class="scale" x="0" y="{y:g}" dx="-8" dy="4">{short(top * quarter // 4)}</text>'


def _bars(bars: Sequence[Bar], top: int, height: int) -> Iterator[str]:
    room, below = 100 / len(bars), height + ROOM_ABOVE + 18
    for index, bar in enumerate(bars):
        across = f'x="{room * (index + GAP / 2):.2f}%" width="{room * (1 - GAP):.2f}%"'
        middle = f'x="{room * (index + 0.5):.2f}%"'
        kind = "week" if (len(bars) - 1 - index) % EVERY_THIRD == 0 else "week minor"
        above = ROOM_ABOVE + height * (1 - bar.total / top) - 6
        count = f'<text class="count" {middle} y="{above:.2f}">{short(bar.total)}</text>' if bar.total else ""
        yield (
            f"<g><title>{_told(bar)}</title>{''.join(_stack(bar, across, top, height))}{count}"
            f'<text class="{kind}" {middle} y="{below}">{day(bar.week)}</text></g>'
        )


def _stack(bar: Bar, across: str, top: int, height: int) -> Iterator[str]:
    below = 0
    for part in bar.parts:
        if part.count:
            below += part.count
            y, size = ROOM_ABOVE + height * (1 - below / top), height * part.count / top
            yield f'<rect class="{part.kind}" {across} y="{y:.2f}" height="{size:.2f}"/>'


def _told(bar: Bar) -> str:
    parts = [f"{plain(part.name)} {whole(part.count)}" for part in bar.parts if part.count]
    return f"Week of {full_day(bar.week)}: {whole(bar.total)}" + (f" ({', '.join(parts)})" if parts else "")
