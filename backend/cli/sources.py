"""The items of several files, one after the other."""

import stat
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from backend.cli.failure import CommandFailed
from backend.reading import BROKEN_OFF, Columns, Item, Items, Mapping, Unreadable, open_items, read_mapping


class Sources:
    def __init__(self, arguments: Namespace, say: Callable[[str], None]) -> None:
        self._arguments = arguments
        self._say = say
        self._mapping = mapping(arguments)
        self._paths: list[str] = arguments.files
        self._sizes = [size(path) for path in self._paths]
        self._before = 0
        self._open: Items | None = None
        self.broken = False
        """Whether one of them ended before its end."""

    @property
    def total(self) -> int | None:
        """Bytes to be read, if that is known of each."""
        return None if None in self._sizes else sum(size or 0 for size in self._sizes)

    @property
    def done(self) -> int:
        return self._before + (self._open.done if self._open else 0)

    def items(self, *, after: int = 0) -> Iterator[Item]:
        """All items but the first so many, which have been seen to before."""
        items = self._items()
        if after:
            next(islice(items, after - 1, after), None)
        return items

    def _items(self) -> Iterator[Item]:
        for path, bytes_of_it in zip(self._paths, self._sizes, strict=True):
            try:
                opened = open_items(
                    path,
                    self._arguments.kind,
                    form=self._arguments.format,
                    vocabulary=self._arguments.vocabulary,
                    mapping=self._mapping,
                )
            except Unreadable as reason:
                raise CommandFailed(str(reason)) from reason
            with opened as self._open:
                self._tell(opened.name, opened.columns)
                for item in opened:
                    self.broken |= any(fault.code == BROKEN_OFF for fault in item.faults)
                    yield item
            self._open = None
            self._before += bytes_of_it or 0

    def _tell(self, name: str, columns: Columns | None) -> None:
        if columns is None:
            return
        if columns.used:
            self._say(f"{name}: " + ", ".join(f"{ours}={theirs}" for ours, theirs in columns.used.items()))
        if columns.unused:
            self._say(f"{name}: not sent: {', '.join(columns.unused)}")
        if columns.missing:
            self._say(
                f"{name}: no column gives {', '.join(columns.missing)}, so every item will be refused: "
                f"name one with --map '{columns.missing[0]}=COLUMN', or --map '{columns.missing[0]}:=TEXT'"
            )
        for note in columns.notes:
            self._say(f"{name}: {note}")


def mapping(arguments: Namespace) -> Mapping | None:
    texts = [*arguments.mapping, *arguments.maps]
    try:
        return read_mapping(arguments.kind, *texts) if texts else None
    except Unreadable as reason:
        raise CommandFailed(str(reason)) from reason


def size(path: str) -> int | None:
    """Of a file; of what is none, nothing. Each is looked at before anything is sent."""
    if path == "-":
        return None
    try:
        about = Path(path).stat()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read ({error.strerror})") from error
    if stat.S_ISDIR(about.st_mode):
        raise CommandFailed(f"{path} is a directory; name the files in it")
    return about.st_size if stat.S_ISREG(about.st_mode) else None


def contents(paths: list[str]) -> list[Any]:
    """Of small files."""
    found = []
    for path in paths:
        with suppress(OSError):
            found.append(Path(path).read_bytes().decode(errors="replace"))
    return found


def names(paths: list[str]) -> str:
    shown = ["standard input" if path == "-" else Path(path).name for path in paths]
    return shown[0] if len(shown) == 1 else f"{len(shown)} files"
