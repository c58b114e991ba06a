"""An ingestion on its way: what is read is sent, what comes back is noted, what fails says how to go on."""

from argparse import Namespace
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from backend.cli.failure import CommandFailed
from backend.cli.journal import Journal, State
from backend.cli.progress import Reporter
from backend.cli.rejected import MOST_SHOWN, RejectedFile, sendable, text_of
from backend.cli.remote import explained
from backend.cli.report import Report, counted
from backend.cli.sources import Sources
from backend.client import ApiProblem, Client, ClientFailure, Outcome, Refused, Summary

# Bulk calls and runs name nothing else that could be missing.
RUN_GONE = {"run_not_open", "not_found", "invalid_id"}


class Ingestion:
    def __init__(
        self,
        arguments: Namespace,
        client: Client,
        sources: Sources,
        journal: Journal | None,
        told: Reporter,
        stack: ExitStack,
    ) -> None:
        self.arguments = arguments
        self.client = client
        self.sources = sources
        self.journal = journal
        self.told = told
        self.state = self.begun()
        self.rejected = self.opened_rejected(stack)
        self.shown = 0
        self.sent_now = 0
        self.read: deque[tuple[str, str | None, int]] = deque()
        """Of what is on its way: where it stands, how it looks, how far the files had been read."""

    def begun(self) -> State:
        journal = self.journal
        if journal is None:
            return State()
        if journal.found and not journal.changed and not self.arguments.fresh:
            state = journal.state
            self.told.say(f"Going on with what was begun {journal.begun}: {counted(state.summary)} before.")
            return state
        if journal.found and journal.changed:
            self.told.say("The files have changed since this was interrupted: starting over.")
        if journal.run_id and journal.run_id != self.arguments.run:
            with suppress(ClientFailure):
                self.client.ingest_runs.abort(journal.run_id)
        journal.begin()
        return journal.state

    def opened_rejected(self, stack: ExitStack) -> RejectedFile | None:
        if not self.arguments.rejected:
            return None
        rejected = RejectedFile(self.arguments.rejected, self.state.rejected_bytes)
        stack.callback(rejected.close)
        return rejected

    def run(self) -> Report:
        try:
            run_id = self.run_id()
            self.send(run_id)
            report = self.ended(run_id)
        except ClientFailure as failure:
            raise self.failed(failure) from failure
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CommandFailed(
                f"{error.filename or 'A file'} cannot be written ({error.strerror})"
            ) from error
        except SystemExit:
            self.told.say(f"Interrupted; {counted(self.state.summary)} so far. {self.way_on}")
            raise
        if self.journal:
            self.journal.remove()
        return report

    @property
    def way_on(self) -> str:
        if self.journal:
            return "To go on from there, type the same command again."
        if self.arguments.dry_run:
            return "It was a dry run, and nothing is changed."
        return "Send it all again: what is stored already is found unchanged."

    def run_id(self) -> str | None:
        given: str | None = self.arguments.run
        if given or not self.arguments.source or self.arguments.dry_run:
            return given
        known = self.journal.run_id if self.journal else None
        if known:
            return known
        opened = self.client.ingest_runs.open(self.arguments.source, opened_by="aijobhunt ingest").id
        if self.journal:
            self.journal.in_run(opened)
        return opened

    def send(self, run_id: str | None) -> None:
        arguments, journal = self.arguments, self.journal
        options: dict[str, Any] = {
            "mode": arguments.mode,
            "dry_run": arguments.dry_run,
            "chunk": arguments.chunk,
        }
        if journal:
            options |= {"key": journal.key, "first_chunk": self.state.chunks}
        if run_id:
            options["run_id"] = run_id
        ingests = {
            "jobs": self.client.jobs.ingest,
            "matches": self.client.matches.ingest,
            "interactions": self.client.interactions.ingest,
        }
        ingestion = ingests[arguments.kind](self.given(), **options)
        for outcomes in ingestion.batches():
            self.take(outcomes)

    def given(self) -> Iterator[dict[str, Any] | Refused]:
        for item in self.sources.items(after=self.state.items):
            self.read.append((f"{item.source}, {item.place}", text_of(item), self.sources.done))
            yield sendable(item)

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Note what became of a chunk, and that it is done."""
        unsent = 0
        done = 0
        for outcome in outcomes:
            where, text, done = self.read.popleft()
            if outcome.status == "rejected":
                unsent += not outcome.sent
                self.reject(where, text, outcome)
        before = self.state
        self.state = State(
            before.chunks + 1,
            before.items + len(outcomes),
            before.summary + Summary.of(outcomes),
            before.unsent + unsent,
            before.broken or self.sources.broken,
            self.rejected.size if self.rejected else 0,
        )
        if self.rejected:
            self.rejected.flush()
        if self.journal:
            self.journal.finished(self.state)
        self.sent_now += len(outcomes)
        self.told.show(self.sent_now, counted(self.state.summary), done, self.sources.total)

    def reject(self, where: str, text: str | None, outcome: Outcome) -> None:
        if self.rejected:
            self.rejected.add(where, text, outcome)
        if self.shown < MOST_SHOWN:
            reasons = "; ".join(f"{fault.pointer} {fault.detail}".strip() for fault in outcome.errors)
            self.told.say(f"rejected: {where}: {reasons}")
        elif self.shown == MOST_SHOWN:
            kept = self.arguments.rejected
            self.told.say(f"More are rejected: see {kept or 'what --rejected FILE writes'}")
        self.shown += 1

    def ended(self, run_id: str | None) -> Report:
        """Complete the run, if all that the files hold was seen."""
        if run_id is None or self.arguments.dry_run:
            return Report(self.arguments, self.state)
        if self.state.broken or (self.state.unsent and not self.arguments.close_anyway):
            return Report(self.arguments, self.state, open_run=run_id)
        ratio = self.arguments.max_close_ratio
        completed = self.client.ingest_runs.complete(run_id, max_close_ratio=ratio)
        return Report(self.arguments, self.state, completed)

    def failed(self, failure: ClientFailure) -> CommandFailed:
        code = failure.code if isinstance(failure, ApiProblem) else ""
        advice = self.way_on
        if code == "too_many_to_close" and isinstance(failure, ApiProblem):
            told = failure.members
            return CommandFailed(
                f"All is sent ({counted(self.state.summary)}), but to complete the run would close "
                f"{told.get('would_close')} of {told.get('active')} active postings. Nothing was closed.\n"
                "If that is right, type the same command again with --max-close-ratio 1; if the crawl was "
                "incomplete, do nothing: the run closes nothing."
            )
        if code in RUN_GONE and self.arguments.run:
            advice = "Name an open run with --run, or open one with --source."
        elif code in RUN_GONE or code == "idempotency_key_reused":
            advice = "Start over: the same command with --fresh."
        return CommandFailed(f"{explained(failure)}.\n{counted(self.state.summary)} so far. {advice}".strip())
