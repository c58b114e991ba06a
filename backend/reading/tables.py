"""CSV, as spreadsheets and scripts write it."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator

from backend.reading import text
from backend.reading.items import Record, Unreadable, refused
from backend.reading.streams import LONGEST, Source

DELIMITERS = ",;\t|"
# What Excel writes and heeds above a header.
SAID = re.compile(r"sep=(.)\s*$", re.IGNORECASE)


def as_windows(error: UnicodeError) -> tuple[str, int]:
    """What is not UTF-8 was written on Windows, or can at least be read so."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 (the handler is for reading only)
    wrong = error.object[error.start : error.end]
    letters = (bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in wrong)
    return "".join(letters), error.end


codecs.register_error("as-windows", as_windows)
# Lines sees to it that no cell gets there.
csv.field_size_limit(2 * LONGEST)


class Lines:
    """The lines under the CSV reader, and which of them the row at hand is made of."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._number = 0
        self._size = 0
        self.row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(LONGEST)
        if not line:
            raise StopIteration
        self._number += 1
        self._size += len(line)
        self.row.append(line)
        if self._size >= LONGEST:
            while not line.endswith(("\n", "\r")) and line:
                line = self._stream.readline(LONGEST)
            raise Unreadable("The row is longer than 1 MiB: is a quotation mark never closed?")
        return line

    @property
    def begin(self) -> int:
        """The number of the line that the row begins with."""
        return self._number - len(self.row) + 1

    def next_row(self) -> None:
        self.row, self._size = [], 0

    def only_the_first(self) -> None:
        """A row that went wrong may have swallowed others: they begin anew with its second line."""
        again = self.row[1:]
        self._again.extendleft(reversed(again))
        self._number -= len(again)


class Table:
    def __init__(self, source: Source) -> None:
        encoding = "utf-16" if source.utf16 else "utf-8"
        stream = io.TextIOWrapper(source.stream, encoding, errors="as-windows", newline="")
        self._lines = Lines(stream)
        self._delimiter = delimiter(source.head.decode(encoding, "replace"))
        rows = (
            cells for cells in self._rows() if isinstance(cells, list) and not SAID.match(self._lines.row[0])
        )
        self.names = distinct(next(rows, []))

    def __iter__(self) -> Iterator[Record]:
        for cells in self._rows():
            place = f"line {self._lines.begin}"
            raw = "".join(self._lines.row)
            if isinstance(cells, str):
                yield refused(place, cells, raw)
            elif len(cells) < len(self.names) or any(cells[len(self.names) :]):
                count = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
                yield refused(place, f"{count} where the header has {len(self.names)}", raw)
            else:
                yield Record(place, dict(zip(self.names, cells, strict=False)))

    def _rows(self) -> Iterator[list[str] | str]:
        """The cells of each row, or what is wrong with it."""
        rows = self._reader()
        while True:
            self._lines.next_row()
            try:
                cells = next(rows)
            except StopIteration:
                return
            except (csv.Error, Unreadable, UnicodeError) as error:
                yield f"Not CSV: {error}" if isinstance(error, csv.Error) else str(error)
                self._lines.only_the_first()
                rows = self._reader()
                continue
            if any(cell.strip() for cell in cells):
                yield cells

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=self._delimiter, skipinitialspace=True, strict=True)


def delimiter(head: str) -> str:
    """The one that the first line has most of, outside quotation marks."""
    first = next((line for line in head.lstrip("\ufeff").splitlines() if line.strip()), "")
    if said := SAID.match(first):
        return said[1]
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def distinct(header: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for cell in header:
        name = label = text.line(cell)
        again = 1
        while name and name in names:
            again += 1
            name = f"{label} ({again})"
        names.append(name)
    return tuple(names)
