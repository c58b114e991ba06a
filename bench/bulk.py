"""The questions in bulk: a thousand documents a request, as JSON arrays and as Motor's bulk writes.

The same lists of documents are made into both. What differs between two documents of the same place is only
their key and their version, so a request is cast from a mould: the load has to cost little.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import chain, count, cycle, islice
from typing import Any

import orjson
from bson import ObjectId
from pymongo import UpdateOne

from backend.app.db.schema import JOBS
from bench.matches import MATCHES, match, pair, user_id
from bench.postings import OLDER_THAN_ALL, external_id, posting
from bench.question import Ask, Database, Facts, Question, post

ITEMS = 1_000
CALLS = 20
"""How many calls it takes to send all postings of those that are sent again and again."""
CHANGED_ONE_IN = 5
# How many lists of documents Motor finds ready: more than it gets through in a measure.
READY = 100
# As wide as what takes their place: an external id or a version, and the id of a user or a posting.
MARK = "@" * len(external_id(0))
ID_MARK = "@" * len(str(user_id(0)))

Document = dict[str, Any]
Names = list[tuple[str, str]]
"""What tells the documents of one request apart: of a posting its external id and the version of its title,
of a match its user and its posting."""


def new(facts: Facts) -> Iterator[Names]:
    """Postings that nobody has seen."""
    for first in count(facts.postings, ITEMS):
        yield [(external_id(number), version(0)) for number in range(first, first + ITEMS)]


def unchanged(facts: Facts) -> Iterator[Names]:
    """A set of postings over and over: new the first time, then as they were."""
    return cycle(islice(new(facts), CALLS))


def changed(facts: Facts) -> Iterator[Names]:
    """The same, with another fifth of them changed each time."""
    first = list(islice(new(facts), CALLS))
    for time in count(CHANGED_ONE_IN):
        titles = [version(time - (time + place) % CHANGED_ONE_IN) for place in range(ITEMS)]
        for names in first:
            yield [(key, title) for (key, _), title in zip(names, titles, strict=True)]


def version(number: int) -> str:
    return f"{number:0{len(MARK)}d}"


def matched(facts: Facts) -> Iterator[Names]:
    """Matches that are new to their users."""
    for first in count(MATCHES, ITEMS):
        pairs = (pair(number, facts.postings) for number in range(first, first + ITEMS))
        yield [(str(user), str(job)) for user, job in pairs]


def postings() -> list[Document]:
    """One for each place in a request; older than all, so that who reads the newest is not disturbed."""
    return [
        {**posting(number), "posted_date": OLDER_THAN_ALL - timedelta(seconds=37 * number)}
        for number in range(ITEMS)
    ]


# Through HTTP


class Mould:
    """Text with marks in it, to be had with names of the same width in their place."""

    def __init__(self, text: bytes, mark: str) -> None:
        self.text = text
        self.mark = mark
        self.parts = text.split(mark.encode())

    def posted(self, path: str) -> "Mould":
        return Mould(post(path, self.text), self.mark)

    def cast(self, names: Names) -> bytes:
        marks = [name.encode() for pair in names for name in pair]
        parts = [*self.parts, *marks]
        parts[::2], parts[1::2] = self.parts, marks
        return b"".join(parts)


def posting_array() -> Mould:
    return Mould(orjson.dumps(marked_postings(), option=orjson.OPT_UTC_Z), MARK)


def posting_lines() -> Mould:
    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    return Mould(b"".join(orjson.dumps(each, option=options) for each in marked_postings()), MARK)


def marked_postings() -> list[Document]:
    return [{**each, "external_id": MARK, "title": titled(each, MARK)} for each in postings()]


def titled(document: Document, title: str) -> str:
    return f"{document['title']} {title}"


def match_array() -> Mould:
    marked = [{"user_id": ID_MARK, "job_id": ID_MARK, **match(place)} for place in range(ITEMS)]
    return Mould(orjson.dumps(marked, option=orjson.OPT_UTC_Z), ID_MARK)


def sent(
    path: str, mould: Callable[[], Mould], names: Callable[[Facts], Iterator[Names]]
) -> Callable[[Facts], Iterator[bytes]]:
    return lambda facts: map(mould().posted(path).cast, names(facts))


# Through Motor: the blind upserts that a team would write


def upserts(documents: Iterable[Document], key: tuple[str, ...]) -> list[UpdateOne]:
    return [UpdateOne({name: each[name] for name in key}, {"$set": each}, upsert=True) for each in documents]


def looping(
    collection: str,
    key: tuple[str, ...],
    names: Callable[[Facts], Iterator[Names]],
    documents: Callable[[], Callable[[Names], list[Document]]],
) -> Callable[[Database, Facts], Ask]:
    def straight(database: Database, facts: Facts) -> Ask:
        made = map(documents(), names(facts))
        ready = list(islice(made, READY))
        lists = chain(ready, made)
        into = database[collection]
        return lambda: into.bulk_write(upserts(next(lists), key), ordered=False)

    return straight


def posting_documents() -> Callable[[Names], list[Document]]:
    # As this app stores them, so that all write the same under the same indexes.
    templates = [JOBS.complete(template) for template in postings()]
    return lambda names: [
        {**template, "external_id": key, "title": titled(template, title)}
        for template, (key, title) in zip(templates, names, strict=True)
    ]


def match_documents() -> Callable[[Names], list[Document]]:
    templates = [match(place) for place in range(ITEMS)]
    return lambda names: [
        {"user_id": ObjectId(user), "job_id": ObjectId(job), **template}
        for template, (user, job) in zip(templates, names, strict=True)
    ]


# What an answer looks like


def summed(**counts: int) -> Callable[[Any, Facts], bool]:
    whole = {"created": 0, "updated": 0, "unchanged": 0, "rejected": 0, **counts}
    return lambda answer, _: answer["summary"] == whole and len(answer["items"]) == ITEMS


def all_created(answer: Any, facts: Facts) -> bool:
    """Eve tells what it has stored; it knows of nothing else."""
    if "_items" in answer:
        return answer["_status"] == "OK" and len(answer["_items"]) == ITEMS
    return summed(created=ITEMS)(answer, facts)


def posting_question(
    key: str,
    title: str,
    names: Callable[[Facts], Iterator[Names]],
    holds: Callable[[Any, Facts], bool],
    **more: Any,
) -> Question:
    return Question(
        key,
        title,
        sent("/jobs/bulk", posting_array, names),
        holds,
        looping("jobs", ("external_id",), names, posting_documents),
        unit="documents",
        weight=ITEMS,
        **more,
    )


HERE = ("motor", "app", "app-pymongo")

# Who does best with how many at once: of 1, 2, 4 and 8.
QUESTIONS = (
    posting_question(
        "bulk-new",
        "new postings in bulk",
        new,
        all_created,
        peers=("motor", "eve", "app", "app-pymongo"),
        in_flight={"motor": 2, "eve": 1, "app": 2, "app-pymongo": 2},
    ),
    posting_question(
        "bulk-unchanged",
        "unchanged postings in bulk",
        unchanged,
        summed(unchanged=ITEMS),
        peers=HERE,
        beforehand=CALLS,
        in_flight={"motor": 8, "app": 4, "app-pymongo": 4},
    ),
    posting_question(
        "bulk-changed",
        "postings in bulk, a fifth of them changed",
        changed,
        summed(updated=ITEMS // CHANGED_ONE_IN, unchanged=ITEMS - ITEMS // CHANGED_ONE_IN),
        peers=HERE,
        beforehand=CALLS,
        in_flight={"motor": 8, "app": 4, "app-pymongo": 4},
    ),
    Question(
        "bulk-matches",
        "new matches in bulk",
        sent("/job-matches/bulk", match_array, matched),
        summed(created=ITEMS),
        looping("job_matches", ("user_id", "job_id"), matched, match_documents),
        peers=HERE,
        unit="documents",
        weight=ITEMS,
        in_flight={"motor": 8, "app": 2, "app-pymongo": 2},
    ),
)
