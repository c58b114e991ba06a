"""How numbers, weeks and names are written on the page. Names come from anybody: each is cut and escaped."""

from datetime import date
from html import escape

LONGEST_NAME = 48
THOUSANDS = ((1_000_000, "M"), (1_000, "k"))


def whole(number: int) -> str:
    return f"{number:,}"


def short(number: int) -> str:
    """As it fits above a bar: `12.3k`."""
    for size, letter in THOUSANDS:
        if number >= 0.99995 * size and number >= 1000:
            return f"{number / size:.1f}".removesuffix(".0") + letter
    return str(number)


def name(given: str) -> str:
    """By itself whatever it is made of: it turns no text around it, and ends where it ends."""
    words = " ".join(given.split()) or "(no name)"
    cut = words if len(words) <= LONGEST_NAME else words[: LONGEST_NAME - 1].rstrip() + "…"
    return f"<bdi>{escape(cut)}</bdi>"


def plain(given: str) -> str:
    """A name where no element can stand."""
    return name(given).removeprefix("<bdi>").removesuffix("</bdi>")


def day(week: str) -> str:
    monday = date.fromisoformat(week)
    return f"{monday.day} {monday:%b}"


def full_day(week: str) -> str:
    monday = date.fromisoformat(week)
    return f"{monday.day} {monday:%B %Y}"
