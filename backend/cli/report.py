"""What became of an ingestion: in words, for programs, and as an exit status."""

import json
import shlex
from argparse import Namespace
from dataclasses import asdict, dataclass
from typing import Any

from backend.cli.journal import State
from backend.cli.sources import names
from backend.client import IngestRun, Summary

ALL, SOME, NONE = 0, 3, 4


@dataclass(frozen=True)
class Report:
    arguments: Namespace
    state: State
    completed: IngestRun | None = None
    open_run: str | None = None
    """A run that was not completed, since not all was seen."""

    @property
    def status(self) -> int:
        summary = self.state.summary
        if not summary.rejected:
            return ALL
        return SOME if summary.stored else NONE

    def show(self) -> None:
        if self.arguments.json:
            print(json.dumps(self.as_json(), indent=2))
            return
        would = " (dry run: nothing is changed)" if self.arguments.dry_run else ""
        print(f"{names(self.arguments.files)}: {counted(self.state.summary)}{would}")
        if self.completed:
            print(f"The run is complete: {self.completed.closed or 0:,} postings closed.")
        if self.open_run and self.state.broken:
            print(
                f"Run {self.open_run} stays open and closes nothing: a file ended before its end.\n"
                f"Send it whole with --run {self.open_run}."
            )
        elif self.open_run:
            print(
                f"Run {self.open_run} stays open and closes nothing: not all items could be read.\n"
                f"Mend them and send them with --run {self.open_run}, or send all again with --close-anyway."
            )
        if self.arguments.rejected and self.state.summary.rejected:
            print(
                f"What was rejected is in {self.arguments.rejected}. Once it is mended: {self.next_command}"
            )

    @property
    def next_command(self) -> str:
        """What sends mended items: they are in the API's own words, and need no map."""
        command = ["aijobhunt", "ingest", self.arguments.kind, self.arguments.rejected]
        if self.arguments.mode != "replace":
            command += ["--mode", self.arguments.mode]
        if self.open_run:
            command += ["--run", self.open_run]
        if self.arguments.url:
            command += ["--url", self.arguments.url]
        return shlex.join(command)

    def as_json(self) -> dict[str, Any]:
        completed = self.completed
        return {
            "files": self.arguments.files,
            "dry_run": self.arguments.dry_run,
            "summary": asdict(self.state.summary),
            "unreadable": self.state.unsent,
            "rejected_file": self.arguments.rejected,
            "run": {
                "id": completed.id if completed else self.open_run,
                "status": completed.status if completed else "open",
                "closed": completed.closed if completed else None,
            }
            if completed or self.open_run
            else None,
        }


def counted(summary: Summary) -> str:
    outcomes = asdict(summary)
    told = ", ".join(f"{count:,} {status}" for status, count in outcomes.items() if count)
    items = "1 item" if summary.total == 1 else f"{summary.total:,} items"
    return f"{items}: {told}" if told else items
