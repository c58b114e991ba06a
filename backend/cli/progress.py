"""How far a long command has come: a bar on a terminal, and elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0


class Reporter:
    """Says a line on standard error, at most every few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._said = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def show(self, count: int, state: str, done: int, total: int | None) -> None:
        """So many items by now, in so many bytes of all."""
        if self._clock() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = self._clock()
            share = f", {done / total:.0%} of it" if total else ""
            self.say(f"{count:,} items, {self.rate(count)}{share}: {state}")

    def rate(self, count: int) -> str:
        return f"{count / max(self._clock() - self._began, 0.001):,.0f}/s"


class Bar(Reporter):
    """Keeps one line of a terminal up to date."""

    def __init__(self, terminal: Console, title: str) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=terminal,
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None, rate="", state="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, count: int, state: str, done: int, total: int | None) -> None:
        self._progress.update(self._task, completed=done, total=total, rate=self.rate(count), state=state)


def reporter(title: str) -> Reporter:
    terminal = Console(stderr=True)
    return Bar(terminal, title) if terminal.is_terminal else Reporter()
