"""What a posting can be found by: worked out from it when it is written, and stored beside it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from math import log2

from backend.app.models.base import Document
from backend.app.models.words import COMMON, folded, whole, words

SEARCH = "search"
"""The field that holds it, which no client sees."""
WORDS = f"{SEARCH}.words"
TAGS = f"{SEARCH}.tags"
TEXT = f"{SEARCH}.text"
LOW, HIGH = f"{SEARCH}.low", f"{SEARCH}.high"
TITLE = f"{SEARCH}.title"

FIELDS = {
    WORDS: ("list of string", "Each word of the posting, wherever it stands, but those that most have."),
    TAGS: ("list of string", "What is known of single fields, each as `field:value`."),
    TEXT: ("string", "The words in their order, for phrases."),
    LOW: ("number", "The least it pays; the only figure there is, or -1 for none."),
    HIGH: ("number", "The most it pays; the only figure there is, or -1 for none."),
    TITLE: ("string", "The title, as lists are ordered by it."),
}

SOURCES = frozenset(
    (
        "title",
        "company",
        "description",
        "location",
        "remote_type",
        "skills_required",
        "source_platform",
        "salary_range",
    )
)
"""What it is worked out from."""

NOT_PAID = -1
"""In place of a salary: less than any."""
UNPAID = "pay:none"
# So many words and names of one posting can be found: an index entry each.
MOST_WORDS = 2_000
MOST_OF_A_FIELD = 200
LONGEST_NAME = 100
LONGEST_TITLE = 60
LAST_STEP = 120
BETWEEN_FIELDS = " | "


def searchable(posting: Document) -> Document:
    title, company = words(posting["title"]), words(posting["company"])
    location = words(posting["location"])
    skills = [words(skill[:LONGEST_NAME]) for skill in posting.get("skills_required", ())[:MOST_OF_A_FIELD]]
    fields = (title, company, location, *skills, words(posting["description"]))
    found = dict.fromkeys(chain.from_iterable(fields))
    text = BETWEEN_FIELDS.join(" ".join(field) for field in fields)
    pay = posting.get("salary_range") or {}
    low, high = paid(pay)
    return {
        "words": list(islice((word for word in found if word not in COMMON), MOST_WORDS)),
        "tags": list(dict.fromkeys(_tags(posting, title, company, location, pay, low, high))),
        "text": f" {text} ",
        "low": low,
        "high": high,
        "title": folded(posting["title"]).strip()[:LONGEST_TITLE],
    }


def paid(pay: Document) -> tuple[float, float]:
    found = [pay[name] for name in ("min", "max") if name in pay] or [NOT_PAID]
    least, most = found[0], found[-1]
    return least, most


def tag(field: str, value: str) -> str:
    return f"{field}:{value}"


def step(amount: float) -> int:
    """Amounts in steps of a fifth: what is more is never on a lower step."""
    return min(int(4 * log2(amount + 1)), LAST_STEP)


def _tags(
    posting: Document,
    title: Sequence[str],
    company: Sequence[str],
    location: Sequence[str],
    pay: Document,
    low: float,
    high: float,
) -> Iterator[str]:
    yield from _each("title", title)
    yield from _each("skill", map(name_of, posting.get("skills_required", ())))
    yield from _each("company", company)
    yield from _each("location", location)
    if (remote := posting.get("remote_type")) is not None:
        yield tag("remote", name_of(remote))
        if "remote" in words(remote[:LONGEST_NAME]):
            # Where people look for it.
            yield tag("location", "remote")
    if (platform := posting.get("source_platform")) is not None:
        yield tag("platform", name_of(platform))
    if high == NOT_PAID:
        yield UNPAID
    else:
        yield tag("currency", pay.get("currency", "USD"))
        yield tag("low", str(step(low)))
        yield tag("high", str(step(high)))


def name_of(value: str) -> str:
    """A name as tags hold it."""
    return whole(value[:LONGEST_NAME])[:LONGEST_NAME]


def _each(field: str, values: Iterable[str]) -> Iterator[str]:
    return (tag(field, value) for value in islice(values, MOST_OF_A_FIELD))
