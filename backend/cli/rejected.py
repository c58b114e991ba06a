"""Items that were rejected, as lines that can be mended and sent again."""

import os
from typing import IO, Any

import orjson

from backend.cli.failure import CommandFailed
from backend.client import Fault, Outcome, Refused
from backend.reading import Item

REASONS = "_rejected"
"""The member that a rejected item has more: why, and where it came from. It is not sent."""
MOST_SHOWN = 10


def sendable(item: Item) -> dict[str, Any] | Refused:
    """What to send of an item that was read; if nothing, why."""
    fields = dict(item.fields or {})
    before = fields.pop(REASONS, None)
    if item.faults:
        return Refused(fields, tuple(Fault(fault.pointer, fault.detail, fault.code) for fault in item.faults))
    if not fields and isinstance(before, dict):
        reason = Fault("", "It is as it was rejected: there is nothing but the reasons", "not_mended")
        return Refused({REASONS: before}, (reason,))
    return fields


def text_of(item: Item) -> str | None:
    """What stands in the file of an item that nothing could be made of, now or when it was first read."""
    if item.raw is not None:
        return item.raw
    before = (item.fields or {}).get(REASONS)
    raw = before.get("raw") if isinstance(before, dict) else None
    return raw if isinstance(raw, str) else None


class RejectedFile:
    """Open for appending, from where it is known to be right."""

    def __init__(self, path: str, kept: int) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
            self._file.truncate(min(kept, self._file.seek(0, os.SEEK_END)))
            self.size = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written ({error.strerror})") from error

    def add(self, place: str, text: str | None, outcome: Outcome) -> None:
        reasons: dict[str, Any] = {
            "place": place,
            "errors": [
                {"pointer": fault.pointer, "detail": fault.detail, "code": fault.code}
                for fault in outcome.errors
            ],
        }
        if text is not None:
            reasons["raw"] = text
        item = {name: value for name, value in outcome.item.items() if name != REASONS}
        self.size += self._file.write(orjson.dumps({**item, REASONS: reasons}) + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
