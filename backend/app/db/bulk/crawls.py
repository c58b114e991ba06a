"""What an ingest run is told of a bulk call: what it saw, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.app.db.bulk.items import Item, counted
from backend.app.db.ingest_runs import Runs, check_open
from backend.app.models.base import Document


@dataclass(frozen=True)
class Crawl:
    runs: Runs
    run: Document

    @property
    def source(self) -> str:
        return str(self.run["source_platform"])

    def require_open(self) -> None:
        """As it was when the call came in; with each batch it is asked again."""
        check_open(self.run)

    async def saw(self, items: Sequence[Item]) -> None:
        """Before anything is written. A posting whose item is refused was there all the same."""
        seen = {which for item in items if (which := item.id or item.standing)}
        await self.runs.saw(self.run["_id"], seen)
        await self.runs.require_open(self.run["_id"])

    async def count(self, items: Sequence[Item]) -> None:
        rejected = [
            {"index": item.index, "external_id": item.key[0] if item.key else None, "errors": item.faults}
            for item in items
            if item.status == "rejected"
        ]
        await self.runs.add_counts(self.run["_id"], counted(items), rejected)
