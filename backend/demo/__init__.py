"""Demo data: a believable database, made from nothing but a day. The same day makes the same documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, RUNS, SEARCHES, STATS, USERS, Spec
from backend.app.models.base import Body
from backend.demo import activity, matching, people, postings, runs
from backend.demo.entry import Entry

Dataset = Mapping[Spec, Sequence[Entry[Body]]]
"""Parents before their children."""


def dataset(today: datetime) -> Dataset:
    """Everything there is on a day, up to its midnight in UTC."""
    jobs = postings.made(today)
    users = people.made(today)
    matches = matching.made(users, jobs, today)
    interactions = activity.interactions(matches, today)
    return {
        USERS: [user.entry for user in users],
        JOBS: [job.entry for job in jobs],
        MATCHES: [match.entry for match in matches],
        SEARCHES: activity.searches(users, matches, today),
        INTERACTIONS: interactions,
        STATS: activity.stats(users, matches, interactions),
        RUNS: runs.made(jobs, today),
    }
