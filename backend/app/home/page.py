"""The page as a whole, from top to bottom."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Literal

from backend.app.home.plots import Bar, of_applications, of_postings, plot
from backend.app.home.text import full_day, name, whole
from backend.app.models.base import Document

Status = Literal["healthy", "starting", "away"]

TITLE = "AI Job Hunt"
LEDE = (
    "A job hunt as a REST service: people and what they look for, postings from many sources, "
    "scored matches between the two, saved searches, and what became of it all."
)
STATUSES: dict[Status, str] = {
    "healthy": "Healthy",
    "starting": "Starting: indexes are being made",
    "away": "The database is away",
}
LINKS = (
    ("/docs", "Try it", "every call, by example"),
    ("/redoc", "Reference", "the same, to read"),
    ("/openapi.json", "OpenAPI 3.1", "to generate clients"),
    ("/health", "Health", "for machines to ask"),
)
HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{lede}">
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{icon}">
<link rel="stylesheet" href="{style}">
<script nonce="{nonce}" src="{script}" defer></script>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="lede">{lede}</p>
<nav aria-label="Documentation"><ul>{links}</ul></nav>
</header>
<main>
{main}
</main>
<footer>
<section aria-labelledby="first">
<h2 id="first">A first request</h2>
<pre tabindex="0"><code>curl -s '{base}/jobs/?q=engineer&amp;limit=3'</code></pre>
<p class="soft">More of them, all tested, are in the guide: <code>docs/guide.md</code> in the sources.
This is version {version}.</p>
</section>
</footer>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known when the page is asked for."""

    status: Status
    message: str
    overview: Document | None
    """None when nobody could tell yet."""
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page and what it loads are, as the client sees it."""

    base: str
    root: str
    nonce: str
    version: str
    icon: str
    """This and the following: escaped already."""
    style: str
    script: str


def page(seen: Seen, place: Place) -> str:
    links = "".join(
        f'<li><a href="{escape(place.root + path)}">{label}</a> <span>{about}</span></li>'
        for path, label, about in LINKS
    )
    return HTML.format(
        title=TITLE,
        lede=LEDE,
        icon=place.icon,
        style=place.style,
        script=place.script,
        nonce=place.nonce,
        links=links,
        base=escape(place.base),
        version=escape(place.version),
        main="\n".join([status(seen), *figures(seen)]),
    )


def status(seen: Seen) -> str:
    when = ""
    if seen.as_of is not None:
        moment = f"{seen.as_of.day} {seen.as_of:%b %Y, %H:%M:%S} UTC"
        when = f' <span class="soft">Figures as of <time>{moment}</time></span>'
    return (
        f'<p class="status {seen.status}"><span class="light" aria-hidden="true"></span>'
        f"<strong>{STATUSES[seen.status]}.</strong> <span>{escape(seen.message)}.</span>{when}</p>"
    )


def figures(seen: Seen) -> Iterable[str]:
    found = seen.overview
    if found is None:
        yield '<p class="note">There are no figures yet: they are shown here as soon as they are counted.</p>'
        return
    yield counts(found)
    if not found["postings"] and not found["users"]:
        yield (
            '<p class="note">Nothing is here yet. Fill it with <code>make demo</code>, which brings 60 '
            "people and 400 postings, or <code>aijobhunt ingest jobs FILE</code>, which brings your own.</p>"
        )
        return
    yield by_week(found)
    yield '<div class="pair">'
    yield ranking("skills", "Skills in demand", found["top_skills"])
    yield ranking("companies", "Companies that hire", found["top_companies"])
    yield "</div>"
    yield applications(found)


def counts(found: Document) -> str:
    applied = found["applications_by_week"][-1]["applications"]
    told = (
        ("Active postings", found["active_postings"], f"of {whole(found['postings'])} in all"),
        ("New postings", found["new_postings"], "in the last seven days"),
        ("People", found["users"], "who look for a job"),
        ("Matches", found["matches"], "scored so far"),
        ("Applications", applied, "since Monday"),
    )
    items = "".join(
        f"<div><dt>{label}</dt><dd>{whole(count)} <span>{about}</span></dd></div>"
        for label, count, about in told
    )
    return f'<dl class="counts">{items}</dl>'


def by_week(found: Document) -> str:
    bars = of_postings(found["postings_by_week"])
    by_source = zip(*(bar.parts for bar in bars), strict=True)
    totals = [(parts[0], sum(part.count for part in parts)) for parts in by_source]
    legend = "".join(
        '<li><svg class="key" aria-hidden="true">'
        f'<rect class="{part.kind}" width="100%" height="100%"/></svg>'
        f'{name(part.name)} <span class="soft">{whole(total)}</span></li>'
        for part, total in totals
        if total
    )
    return (
        '<section aria-labelledby="weeks"><h2 id="weeks">Postings by week</h2>'
        '<p class="soft">By where they come from, still active or not. '
        "The last week is still under way.</p>"
        f'<ul class="legend">{legend}</ul>'
        f"{plot('postings', 'Postings by week and source', bars, 190)}"
        f"{table('Postings', bars)}</section>"
    )


def applications(found: Document) -> str:
    bars = of_applications(found["applications_by_week"])
    return (
        '<section aria-labelledby="applied"><h2 id="applied">Applications by week</h2>'
        f"{plot('applications', 'Applications by week', bars, 90)}{table('Applications', bars)}</section>"
    )


def table(label: str, bars: Sequence[Bar]) -> str:
    """What the plot shows, for whoever would rather read it."""
    several = len(bars[0].parts) > 1
    parts = bars[0].parts if several else ()
    heads = "".join(f'<th scope="col">{name(part.name)}</th>' for part in parts)
    rows = "".join(
        f'<tr><th scope="row">{full_day(bar.week)}</th><td>{whole(bar.total)}</td>'
        + "".join(f"<td>{whole(part.count)}</td>" for part in bar.parts[: len(parts)])
        + "</tr>"
        for bar in reversed(bars)
    )
    return (
        f"<details><summary>{label} by week as a table</summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table of {label.lower()} by week">'
        f'<table><thead><tr><th scope="col">Week of</th><th scope="col">{label}</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def ranking(key: str, title: str, ranked: Sequence[Document]) -> str:
    most = max((one["postings"] for one in ranked), default=1)
    items = "".join(
        f'<li><span class="name">{name(one["name"])}</span> <span class="n">{whole(one["postings"])}</span>'
        f'<svg class="share" aria-hidden="true"><rect width="{100 * one["postings"] / most:.1f}%" '
        'height="100%"/></svg></li>'
        for one in ranked
    )
    content = f'<ol class="ranking">{items}</ol>' if ranked else '<p class="note">None yet.</p>'
    return f'<section aria-labelledby="{key}"><h2 id="{key}">{title}</h2>{content}</section>'
