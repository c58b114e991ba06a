"""What reading gives: an item to send, or the reasons why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

RAW_SHOWN = 2000
VALUE_SHOWN = 80
BROKEN_OFF = "broken_off"
"""The code of the fault of a last item after which there was more, had it not been lost."""


class Unreadable(Exception):
    """What was to be read cannot be, and why, in words for the one who has the file."""


def quoted(value: object) -> str:
    """A value inside such words: short, and on one line."""
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…")


@dataclass(frozen=True, slots=True)
class Fault:
    pointer: str
    """A JSON Pointer into the fields; empty for the whole item."""
    detail: str
    code: str = "unreadable"

    def as_error(self) -> dict[str, str]:
        """As the server lists its own."""
        return {"pointer": self.pointer, "detail": self.detail, "code": self.code}


@dataclass(frozen=True, slots=True)
class Item:
    source: str
    place: str
    """Where in the source: `line 12`, `item 3`, `posting 2`."""
    fields: dict[str, Any] | None
    """What the bulk route takes. Where there are faults: all that could be read, and the rest as it stood."""
    faults: tuple[Fault, ...] = ()
    """Reasons not to send it."""
    raw: str | None = None
    """Without fields: how it looks in the source, at most 2,000 characters of it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a file before anything is made of it: a row, a line, an element of an array."""

    place: str
    value: Any = None
    fault: Fault | None = None
    raw: str | None = None


def refused(place: str, detail: str, raw: str = "", code: str = "malformed") -> Record:
    return Record(place, fault=Fault("", detail, code), raw=raw[:RAW_SHOWN])


@dataclass
class Draft:
    """An item in the making."""

    fields: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def put(self, path: str, value: object) -> None:
        """Absent is left out, never null."""
        if value is None:
            return
        *above, name = path.split(".")
        inside: Any = self.fields
        for step in above:
            inside = inside.setdefault(step, {})
            if not isinstance(inside, dict):
                # The whole was given too and is no object: that alone is what has to be mended.
                return
        inside[name] = value

    def put_read(self, path: str, reader: Callable[[Any], object], raw: object) -> None:
        """Put what the reader makes of it; failing that, the raw value and why."""
        try:
            value = reader(raw)
        except Unreadable as reason:
            self.refuse(path, str(reason))
            value = raw
        self.put(path, value)

    def refuse(self, path: str, detail: str) -> None:
        self.faults.append(Fault(f"/{path.replace('.', '/')}", detail))
