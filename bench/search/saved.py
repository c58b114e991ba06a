"""Saved searches: made by a user, counted when they are saved and whenever they are read."""

from collections.abc import Iterator
from typing import Any

from bson import ObjectId

from backend.app.db.filters import asked_of_each
from backend.app.models.search_queries import wanted
from bench.load import LoadFailed
from bench.search.asking import WARM_UP, Client, questions
from bench.search.figures import Figure
from bench.search.postings import NEWEST
from bench.search.questions import COUNT_MS, SAVED, SEEN, Kind
from bench.search.store import Store

MOST = 10_000
USER = {"email": "bench@example.com", "name": "Bench"}

SAVING = "Saved search, counted when it is saved"
READING = "Saved search, read, with how many are new"


def counted(client: Client, database: Store, number: int, postings: int) -> Iterator[Figure]:
    user = client.ask("/users/", USER)["id"]
    for kind in SAVED:
        yield from counted_kind(client, database, kind, user, number, postings)


def counted_kind(
    client: Client, database: Store, kind: Kind, user: str, number: int, postings: int
) -> tuple[Figure, Figure]:
    saving = Figure(SAVING, kind.title, COUNT_MS)
    reading = Figure(READING, kind.title, COUNT_MS)
    for place, query in enumerate(questions(kind, WARM_UP + number, postings)):
        body = {"user_id": user, "search_name": f"search {place}", "search_query": query}
        search = client.ask("/saved-searches/", body)["id"]
        saved = client.took
        seen = NEWEST - SEEN[place % len(SEEN)]
        # As somebody who has not come by since.
        database["saved_searches"].update_one({"_id": ObjectId(search)}, {"$set": {"last_viewed": seen}})
        answer = client.ask(f"/saved-searches/{search}")
        if place < WARM_UP:
            if place < len(SEEN):
                check(database, answer, place)
            continue
        saving.took.append(saved)
        reading.took.append(client.took)
    return saving, reading


def check(database: Store, answer: dict[str, Any], place: int) -> None:
    """By going through all postings."""
    query = wanted(answer["search_query"]).query
    jobs, plainly = database["jobs"], {"$natural": 1}
    total = jobs.count_documents({"$and": asked_of_each(query)}, limit=MOST + 1, hint=plainly)
    new = jobs.count_documents({"$and": asked_of_each(query.came_after(NEWEST - SEEN[place]))}, hint=plainly)
    told = answer["total_matches"], answer["total_is_capped"], answer["new_matches"]
    if told != (min(total, MOST), total > MOST, new):
        raise LoadFailed(f"{answer} where {total} match and {new} are new")
