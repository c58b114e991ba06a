"""docs/search.svg: a bar for each kind of question beside its target, readable on light and on dark pages."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from bench.search.figures import Figure, Seen

WIDTH = 760
LEFT = 290
BARS = 340
BAR = 12
STEP = 19
HEAD = 30
GAP = 18
MARGIN = 20
ROOM = 1.25
"""How far a scale goes beyond its target; what is longer is cut off there."""

STYLE = """
  .page { fill: #ffffff } text { fill: #1f2328; font: 12px system-ui, sans-serif }
  .head { font-weight: 600; font-size: 14px } .name { text-anchor: end }
  .most { stroke: #8c959f; stroke-dasharray: 3 3 } .middle { fill: #ffffff; fill-opacity: .55 }
  .holds { fill: #1a7f37 } .over { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .most { stroke: #6e7681 }
    .middle { fill: #0d1117 } .holds { fill: #3fb950 } .over { fill: #f0883e }
  }
"""


def chart(seen: Seen) -> str:
    shapes: list[str] = []
    y = MARGIN
    for title, figures in seen.groups.items():
        shapes += group(title, figures, y)
        y += HEAD + STEP * len(figures) + GAP
    height = y - GAP + MARGIN
    body = "\n".join(shapes)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">
<title>Milliseconds that 95 of 100 answers take, by kind of question, beside the target</title>
<style>{STYLE}</style>
<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>
{body}
</svg>
"""


def group(title: str, figures: Sequence[Figure], y: int) -> Iterator[str]:
    most = figures[0].most
    longest = most * ROOM

    def wide(took: float) -> float:
        return max(1.0, BARS * min(took, longest) / longest)

    said = f"{title}: median and p95 in ms, target {most:,.0f}"
    yield f'<text class="head" x="{MARGIN}" y="{y + 16}">{escape(said)}</text>'
    y += HEAD
    for number, one in enumerate(figures):
        top = y + STEP * number
        line = top + BAR - 2
        kind = "holds" if one.holds else "over"
        yield f'<text class="name" x="{LEFT - 10}" y="{line}">{escape(one.kind)}</text>'
        yield f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{wide(one.p95):.1f}" height="{BAR}" rx="2"/>'
        at = LEFT + wide(one.middle)
        yield f'<rect class="middle" x="{at - 1:.1f}" y="{top}" width="2" height="{BAR}"/>'
        end = LEFT + wide(max(one.p95, most)) + 8
        yield f'<text x="{end:.1f}" y="{line}">{one.middle:.0f} / {one.p95:,.0f}</text>'
    x = LEFT + wide(most)
    yield f'<line class="most" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y + STEP * len(figures) - 3}"/>'
