"""What users did: the postings they looked at, the searches they keep, and the stats that follow."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from backend.app.models.base import Document
from backend.app.models.interactions import InteractionIn, InteractionType
from backend.app.models.saved_searches import SearchIn
from backend.app.models.stats import StatsFields
from backend.demo.entry import Entry, chance, nth_id
from backend.demo.matching import Match, between
from backend.demo.people import Person
from backend.demo.postings import Posting
from backend.demo.vocabulary import REMOTE

VIEWED_EACH = (5, 13)

Step = tuple[InteractionType, datetime]


def interactions(matches: Sequence[Match], today: datetime) -> list[Entry[InteractionIn]]:
    random = chance("interactions")
    # The example of `POST /interactions/` is about the first match: that is still to come.
    first, *others = looked_at(random, matches[1:])
    # The example of `PATCH` makes the first interaction "saved": it is not yet.
    steps = [(first, next(story(random, first, today)))]
    steps += [(match, step) for match in others for step in story(random, match, today)]
    return [interaction(index, match, step) for index, (match, step) in enumerate(steps)]


def looked_at(random: Random, matches: Sequence[Match]) -> Iterator[Match]:
    """Some of each user's matches."""
    for mine in by_person(matches).values():
        count = random.randint(*VIEWED_EACH)
        yield from sorted(random.sample(mine, count), key=lambda match: match.body.matched_at)


def by_person(matches: Sequence[Match]) -> dict[Any, list[Match]]:
    grouped: dict[Any, list[Match]] = {}
    for match in matches:
        grouped.setdefault(match.body.user_id, []).append(match)
    return grouped


def story(random: Random, match: Match, today: datetime) -> Iterator[Step]:
    """From a first look to however far it went; a better match goes further."""
    keen = match.body.relevancy_score
    seen = between(random, match.body.matched_at, timedelta(days=5), today)
    yield "viewed", seen
    if random.random() > 0.5 * keen:
        return
    kept = between(random, seen, timedelta(hours=2), today)
    yield "saved", kept
    if random.random() > 0.6 * keen:
        return
    applied = between(random, kept, timedelta(days=3), today)
    yield "applied", applied
    how_it_ended: tuple[InteractionType | None, ...] = ("rejected", "withdrawn", None)
    ending = random.choices(how_it_ended, weights=(4, 1, 5))[0]
    if ending:
        yield ending, between(random, applied, timedelta(days=10), today)


def interaction(index: int, match: Match, step: Step) -> Entry[InteractionIn]:
    kind, at = step
    body = InteractionIn(
        user_id=match.body.user_id, job_id=match.body.job_id, interaction_type=kind, timestamp=at
    )
    return Entry(nth_id("interaction", index), body, {})


def searches(people: Sequence[Person], matches: Sequence[Match], today: datetime) -> list[Entry[SearchIn]]:
    random = chance("searches")
    mine = by_person(matches)
    kept = ((person, *search) for person in people for search in wanted(random, person))
    return [
        search(random, index, person, name, query, mine[person.entry.id], today)
        for index, (person, name, query) in enumerate(kept)
    ]


def wanted(random: Random, person: Person) -> Iterator[tuple[str, Document]]:
    wishes = person.body.preferences
    for role in wishes.target_roles:
        yield f"{role} roles", {"title": role}
    if random.random() < 0.6:
        yield (
            f"{person.trade.title} in {person.home.name}",
            {
                "title": person.trade.title,
                "location": person.home.name,
            },
        )
    if REMOTE in wishes.desired_locations and random.random() < 0.5:
        skill = wishes.skills[0]
        yield f"Remote with {skill}", {"remote_type": "remote", "skills": [skill]}


def search(
    random: Random,
    index: int,
    person: Person,
    name: str,
    query: Document,
    matches: Sequence[Match],
    today: datetime,
) -> Entry[SearchIn]:
    body = SearchIn(user_id=person.entry.id, search_name=name, search_query=query)
    found = [match for match in matches if match.body.is_active and finds(query, match.fit.posting)]
    created = between(random, person.since, timedelta(days=3), today)
    viewed = max(created, today - timedelta(days=random.randint(1, 9), minutes=random.randint(1, 600)))
    kept: Document = {
        "total_matches": len(found),
        "new_matches": sum(match.body.matched_at > viewed for match in found),
        "last_viewed": viewed,
        "last_match_check": today - timedelta(minutes=30),
        "created_at": created,
    }
    return Entry(nth_id("search", index), body, kept)


def finds(query: Document, posting: Posting) -> bool:
    job = posting.body
    return (
        query.get("title", posting.trade.title) == posting.trade.title
        and query.get("location", job.location) == job.location
        and query.get("remote_type", job.remote_type) == job.remote_type
        and set(query.get("skills", ())) <= set(job.skills_required)
    )


def stats(
    people: Sequence[Person], matches: Sequence[Match], done: Sequence[Entry[InteractionIn]]
) -> list[Entry[StatsFields]]:
    """Counted from what there is, so that they agree with it."""
    missing = {user: missed_most(mine) for user, mine in by_person(matches).items()}
    entries = []
    for index, person in enumerate(people):
        mine = [entry.body for entry in done if entry.body.user_id == person.entry.id]
        kinds = Counter(body.interaction_type for body in mine)
        body = StatsFields(
            jobs_viewed=kinds["viewed"],
            jobs_saved=kinds["saved"],
            jobs_applied=kinds["applied"],
            jobs_rejected=kinds["rejected"],
            jobs_withdrawn=kinds["withdrawn"],
            top_missing_skill=missing[person.entry.id],
        )
        kept = {
            "user_id": person.entry.id,
            "created_at": person.since,
            "last_calculated": max(body.timestamp for body in mine),
        }
        entries.append(Entry(nth_id("stats", index), body, kept))
    return entries


def missed_most(matches: Sequence[Match]) -> str | None:
    missing = Counter(skill for match in matches for skill in match.fit.missing)
    return missing.most_common(1)[0][0] if missing else None
