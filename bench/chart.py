"""docs/benchmark.svg: a bar for each figure, readable on light and on dark pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench import questions
from bench.question import Question, Target
from bench.report import APP
from bench.rounds import Results

WIDTH = 760
LEFT = 220
BARS = 400
BAR = 18
STEP = 26
HEAD = 34
GAP = 18
MARGIN = 20

STYLE = """
  .page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .head { font-weight: 600; font-size: 14px } .name { text-anchor: end }
  .peer { fill: #8c959f } .app { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .peer { fill: #6e7681 } .app { fill: #3fb950 }
  }
"""


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    mine: bool


@dataclass(frozen=True)
class Group:
    """What one question showed; its bars share a scale."""

    title: str
    bars: list[Bar]


def groups(results: Results) -> Iterator[Group]:
    for question in results.plan.questions:
        bars = [
            Bar(peer.title, results.rate(question, peer.key), peer.key == APP)
            for peer in results.plan.peers
            if results.has(question.key, peer.key)
        ]
        if others := compared(question, results):
            # Asked of this app alone: its peers are its own other questions.
            asked = [*others, question]
            bars = [Bar(this.title, results.rate(this, APP), mine=True) for this in asked]
        if bars:
            yield Group(f"{question.title}, {question.unit} a second", bars)


def compared(question: Question, results: Results) -> list[Question]:
    keys = [
        target.other
        for target in questions.TARGETS
        if isinstance(target, Target) and target.question == question.key and target.peer == APP
    ]
    return [questions.BY_KEY[key] for key in keys if key and results.has(key, APP)]


def chart(results: Results) -> str:
    shapes: list[str] = []
    y = MARGIN
    for group in groups(results):
        shapes.append(f'<text class="head" x="{MARGIN}" y="{y + 16}">{escape(group.title)}</text>')
        y += HEAD
        longest = max(bar.value for bar in group.bars)
        for bar in group.bars:
            width = max(1, round(BARS * bar.value / longest))
            middle = y + BAR // 2 + 5
            kind = "app" if bar.mine else "peer"
            shapes += [
                f'<text class="name" x="{LEFT - 10}" y="{middle}">{escape(bar.name)}</text>',
                f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width}" height="{BAR}" rx="2"/>',
                f'<text x="{LEFT + width + 8}" y="{middle}">{bar.value:,.0f}</text>',
            ]
            y += STEP
        y += GAP
    height = y - GAP + MARGIN
    body = "\n".join(shapes)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">
<title>Requests or documents a second: this app beside its peers</title>
<style>{STYLE}</style>
<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>
{body}
</svg>
"""
