"""Dates in the shapes that boards write them; one that could be two is refused, unless it is told which."""

import re
from datetime import UTC, datetime, timedelta, timezone

from backend.reading.items import Unreadable, quoted

DAY_FIRST, MONTH_FIRST = "day first", "month first"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 5322 gives these their hours; of other names there are several of a kind.
ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
NOTHING = {"", "-", "n/a", "na", "nan", "nat", "none", "null", "unknown"}

NUMBERS = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d)", re.ASCII)
WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
MONTH = rf"({'|'.join(MONTHS)})[a-z]*\.?"
DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
DAY_MONTH = re.compile(rf"{DAY}[ \-.]*{MONTH}[ \-,]*(\d{{4}})(?!\d)", re.IGNORECASE | re.ASCII)
MONTH_DAY = re.compile(rf"{MONTH}[ \-]*{DAY}[ ,\-]+(\d{{4}})(?!\d)", re.IGNORECASE | re.ASCII)
CLOCK = re.compile(
    r"(?:[Tt]|,?\s+(?:at\s+)?)(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(?:(?:UTC|GMT)?([+-]\d\d):?(\d\d)?|([A-Za-z]{1,4}))?(?:\s*\([^()]*\))?",
    re.ASCII,
)
EPOCH = re.compile(r"(\d{9,10}(?:\.\d+)?|\d{12,13})", re.ASCII)
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?!\d)", re.ASCII)
SECONDS = 10**11
"""An epoch time above this counts milliseconds: in seconds it would be the year 5138."""


def moment(value: object, told: str | None = None) -> str | None:
    """RFC 3339, UTC. Without a zone it is UTC, a date is its midnight."""
    if isinstance(value, str) and value.strip().casefold() in NOTHING:
        return None
    try:
        found = epoch(value) if isinstance(value, int | float) else written(str(value).strip(), told)
        if found.tzinfo is None:
            return f"{found.isoformat()}Z"
        return f"{found.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"Not a date: {quoted(value)}") from None


def epoch(number: float) -> datetime:
    if number < SECONDS / 1000:
        raise ValueError(number)
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=number if number < SECONDS else number / 1000)


def written(text: str, told: str | None) -> datetime:
    if told and "%" in told:
        return datetime.strptime(text, told)  # noqa: DTZ007 (without a zone it is UTC)
    if EPOCH.fullmatch(text):
        return epoch(float(text))
    text = WEEKDAY.sub("", text)
    (year, month, day), end = calendar(text, told)
    hour, minute, second, micro, zone = clock(text[end:])
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone)


def calendar(text: str, told: str | None) -> tuple[tuple[int, int, int], int]:
    """Year, month and day, and where in the text the time begins."""
    if found := COMPACT.match(text):
        return (int(found[1]), int(found[2]), int(found[3])), found.end()
    if found := DAY_MONTH.match(text):
        return (int(found[3]), number_of(found[2]), int(found[1])), found.end()
    if found := MONTH_DAY.match(text):
        return (int(found[3]), number_of(found[1]), int(found[2])), found.end()
    if not (found := NUMBERS.match(text)):
        raise ValueError(text)
    first, sign, second, third = found[1], found[2], int(found[3]), found[4]
    if len(first) == 4:
        return (int(first), second, int(third)), found.end()
    if len(third) != 4:
        raise Unreadable(f"A year of two digits: {quoted(text)}; say how to read it: dates:=%d/%m/%y")
    day, month = in_order(int(first), second, sign, told, text)
    return (int(third), month, day), found.end()


def in_order(first: int, second: int, sign: str, told: str | None, text: str) -> tuple[int, int]:
    if told == MONTH_FIRST:
        return second, first
    # With full stops nobody writes the month first.
    if told == DAY_FIRST or sign == "." or first > 12 or first == second:
        return first, second
    if second > 12:
        return second, first
    raise Unreadable(
        f"Day or month first? {quoted(text)} can be either; say dates:={DAY_FIRST} or dates:={MONTH_FIRST}"
    )


def number_of(month: str) -> int:
    return MONTHS.index(month.lower()[:3]) + 1


def clock(text: str) -> tuple[int, int, int, int, timezone | None]:
    if not text.strip():
        return 0, 0, 0, 0, None
    if not (found := CLOCK.fullmatch(text.rstrip())):
        raise ValueError(text)
    hour, half = int(found[1]), (found[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    micro = int((found[4] or "0").ljust(6, "0")[:6])
    return hour, int(found[2]), int(found[3] or 0), micro, zone_of(found)


def zone_of(found: re.Match[str]) -> timezone | None:
    hours, minutes, name = found[6], found[7], (found[8] or "").upper()
    if hours:
        ahead = timedelta(hours=int(hours[1:]), minutes=int(minutes or 0))
        return timezone(-ahead if hours[0] == "-" else ahead)
    if name in ZONES:
        return timezone(timedelta(hours=ZONES[name]))
    if name not in {"", "Z", "UTC", "GMT"}:
        raise ValueError(name)
    return UTC if name else None
