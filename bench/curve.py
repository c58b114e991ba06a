"""docs/ingestion.svg: rates against a size that grows tenfold, readable on light and on dark pages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
HEIGHT = 380
LEFT = 70
RIGHT = 40
TOP = 80
BOTTOM = 70
MARGIN = 20

STYLE = """
  .page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .head { font-weight: 600; font-size: 14px } .middle { text-anchor: middle } .end { text-anchor: end }
  .grid { stroke: #d1d9e0 } polyline { fill: none; stroke-width: 2 } .small { font-size: 11px }
  polyline.peer { stroke: #8c959f } circle.peer { fill: #8c959f }
  polyline.app { stroke: #1a7f37 } circle.app { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #3d444d }
    polyline.peer { stroke: #6e7681 } circle.peer { fill: #6e7681 }
    polyline.app { stroke: #3fb950 } circle.app { fill: #3fb950 }
  }
"""


@dataclass(frozen=True)
class Line:
    name: str
    values: Sequence[float]
    """One for each size."""
    mine: bool


class Frame:
    """Where on the page a value at a size is."""

    def __init__(self, sizes: Sequence[int], highest: float) -> None:
        self.first, self.last = math.log(sizes[0]), math.log(sizes[-1])
        self.step = 10.0 ** math.floor(math.log10(highest))
        if highest / self.step < 4:
            self.step /= 2
        self.top = math.ceil(highest * 1.1 / self.step) * self.step

    def x(self, size: int) -> float:
        share = (math.log(size) - self.first) / ((self.last - self.first) or 1)
        return LEFT + 30 + share * (WIDTH - LEFT - RIGHT - 60)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)


def curve(title: str, caption: str, sizes: Sequence[int], lines: Sequence[Line]) -> str:
    frame = Frame(sizes, max(max(line.values) for line in lines))
    shapes = [
        *legend(lines),
        *grid(frame, sizes),
        *(shape for line in lines for shape in drawn(frame, sizes, line, lines)),
    ]
    body = "\n".join(shapes)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>{escape(title)}</title>
<style>{STYLE}</style>
<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>
<text class="head" x="{MARGIN}" y="{MARGIN + 14}">{escape(title)}</text>
{body}
<text class="small" x="{MARGIN}" y="{HEIGHT - MARGIN}">{escape(caption)}</text>
</svg>
"""


def grid(frame: Frame, sizes: Sequence[int]) -> list[str]:
    shapes = []
    for number in range(round(frame.top / frame.step) + 1):
        value = number * frame.step
        y = frame.y(value)
        shapes += [
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text class="end" x="{LEFT - 8}" y="{y + 4:.1f}">{value:,.0f}</text>',
        ]
    y = HEIGHT - BOTTOM + 20
    for size in sizes:
        shapes.append(f'<text class="middle" x="{frame.x(size):.1f}" y="{y}">{size:,}</text>')
    return shapes


def drawn(frame: Frame, sizes: Sequence[int], line: Line, lines: Sequence[Line]) -> list[str]:
    kind = "app" if line.mine else "peer"
    points = [(frame.x(size), frame.y(value)) for size, value in zip(sizes, line.values, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    shapes = [f'<polyline class="{kind}" points="{path}"/>']
    for place, ((x, y), value) in enumerate(zip(points, line.values, strict=True)):
        # The numbers of the upper line above it, of the lower one below.
        lift = -10 if value == max(other.values[place] for other in lines) else 20
        shapes += [
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>',
            f'<text class="small middle" x="{x:.1f}" y="{y + lift:.1f}">{value:,.0f}</text>',
        ]
    return shapes


def legend(lines: Sequence[Line]) -> list[str]:
    shapes = []
    for place, line in enumerate(lines):
        x, y = LEFT + 30 + 200 * place, MARGIN + 40
        shapes += [
            f'<circle class="{"app" if line.mine else "peer"}" cx="{x}" cy="{y - 4}" r="5"/>',
            f'<text x="{x + 12}" y="{y}">{escape(line.name)}</text>',
        ]
    return shapes
