"""Ingest runs: last night's crawl of each source, of which one is not through yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.app.models.base import Document
from backend.app.models.ingest_runs import RunIn
from backend.demo.entry import Entry, nth_id
from backend.demo.postings import Posting
from backend.demo.vocabulary import PLATFORMS

# The examples complete the first, which is complete already, and abort the second, which must not be.
OPEN = 1
STARTED = timedelta(hours=2)
BETWEEN = timedelta(minutes=15)
NIGHTLY = timedelta(days=1)


def made(postings: Sequence[Posting], today: datetime) -> list[Entry[RunIn]]:
    return [run(index, platform, postings, today) for index, platform in enumerate(PLATFORMS)]


def run(index: int, platform: str, postings: Sequence[Posting], today: datetime) -> Entry[RunIn]:
    body = RunIn(source_platform=platform, opened_by="nightly crawl")
    started = today - STARTED - index * BETWEEN
    kept: Document = {"status": "open", "created_at": started}
    if index != OPEN:
        mine = [posting for posting in postings if posting.body.source_platform == platform]
        kept |= {"status": "completed", "ended_at": started + BETWEEN, **outcome(mine, today)}
    return Entry(nth_id("run", index), body, kept)


def outcome(mine: Sequence[Posting], today: datetime) -> Document:
    """As if it had brought what is new since the night before, and closed what ended since."""
    since = today - NIGHTLY
    active = [posting for posting in mine if posting.body.is_active]
    created = sum(posting.since > since for posting in active)
    counts = {"created": created, "updated": 0, "unchanged": len(active) - created, "rejected": 1}
    untitled = {"pointer": "/title", "detail": "This field is required", "code": "missing"}
    rejected = {"index": len(active), "external_id": f"demo-{9000 + len(active)}", "errors": [untitled]}
    closed = sum(posting.entry.kept.get("updated_at", since) > since for posting in mine)
    return {"counts": counts, "rejected_items": [rejected], "closed": closed}
