"""Bytes from a file or a pipe: counted, unpacked if packed, and looked at before they are read."""

import gzip
import io
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from backend.reading.items import Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST = 1024 * 1024
"""Of a line, a row, an item on its way: what the server takes of one line."""
HEAD = 64 * 1024
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, OSError)


class Counted(io.RawIOBase):
    """A stream that knows how much was taken from it, and that can have bytes put before it."""

    def __init__(self, stream: BinaryIO, head: bytes = b"") -> None:
        self.done = 0
        self._stream, self._head = stream, head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        into = memoryview(buffer).cast("B")
        if self._head:
            taken, self._head = self._head[: len(into)], self._head[len(into) :]
        else:
            # Of a pipe, what is there: nobody should wait for a buffer to fill.
            taken = getattr(self._stream, "read1", self._stream.read)(len(into))
        into[: len(taken)] = taken
        self.done += len(taken)
        return len(taken)


@dataclass
class Source:
    name: str
    stream: io.BufferedReader
    head: bytes
    """How it begins, without a byte order mark."""
    total: int | None
    utf16: bool
    counted: Counted
    opened: BinaryIO | None
    """To be closed with it: what the caller brought stays open."""

    def close(self) -> None:
        if self.opened is not None:
            self.opened.close()


def open_source(source: str | Path | BinaryIO) -> Source:
    opened: BinaryIO | None = None
    if isinstance(source, str | Path) and str(source) != "-":
        name = str(source)
        file: BinaryIO
        try:
            opened = file = Path(source).open("rb")  # noqa: SIM115 (closed with the source)
            total: int | None = Path(source).stat().st_size if Path(source).is_file() else None
        except OSError as error:
            raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
    else:
        file = sys.stdin.buffer if isinstance(source, str | Path) else source
        name, total = "standard input" if isinstance(source, str | Path) else label(source), None
    counted = Counted(file)
    try:
        stream, head = unpacked(io.BufferedReader(counted, HEAD))
    except DAMAGED as error:
        if opened is not None:
            opened.close()
        raise Unreadable(f"{name} cannot be read: {why(error)}") from None
    utf16 = head.startswith(UTF16)
    if head.startswith(BOM):
        stream.read(len(BOM))
        head = head[len(BOM) :]
    return Source(name, stream, head, total, utf16, counted, opened)


def unpacked(stream: io.BufferedReader) -> tuple[io.BufferedReader, bytes]:
    """Packed or not is in the bytes; names are often wrong about it."""
    head, stream = peeked(stream)
    if not head.startswith(GZIP):
        return stream, head
    head, stream = peeked(io.BufferedReader(gzip.GzipFile(fileobj=stream), HEAD))
    return stream, head


def peeked(stream: io.BufferedReader) -> tuple[bytes, io.BufferedReader]:
    """The first line that is not blank, however small the pieces in which it comes."""
    head = b""
    while len(head) < HEAD and b"\n" not in head.removeprefix(BOM).lstrip():
        piece = stream.read1(HEAD - len(head))
        if not piece:
            break
        head += piece
    return head, io.BufferedReader(Counted(stream, head), HEAD)


def label(stream: BinaryIO) -> str:
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) else "the stream"


def why(error: BaseException) -> str:
    if isinstance(error, EOFError):
        return "the gzip file ends too early"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return "the gzip file is damaged"
    return getattr(error, "strerror", None) or str(error)
