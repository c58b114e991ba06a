"""Matches: what suits each user best, scored by skills first, then by role, place, level and pay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from backend.app.models.job_matches import MatchDetails, MatchIn, UserSnapshot
from backend.app.models.jobs import JobIn
from backend.app.models.users import Preferences
from backend.demo.entry import Entry, chance, nth_id
from backend.demo.people import Person
from backend.demo.postings import Posting
from backend.demo.vocabulary import LEVELS, Level

MATCHES_EACH = 25
WEIGHT_OF_SKILLS = 0.6
MATCHING_TAKES = timedelta(hours=20)


@dataclass(frozen=True)
class Fit:
    """How a posting suits a person; everything between 0 and 1."""

    person: Person
    posting: Posting
    matched: list[str]
    missing: list[str]
    role: float
    place: float
    level: float
    pay: float

    @property
    def beyond_skills(self) -> float:
        return 0.4 * self.role + 0.25 * self.place + 0.2 * self.level + 0.15 * self.pay

    @property
    def score(self) -> float:
        share = len(self.matched) / len(self.posting.body.skills_required)
        return round(WEIGHT_OF_SKILLS * share + (1 - WEIGHT_OF_SKILLS) * self.beyond_skills, 3)

    @property
    def reasons(self) -> Iterator[str]:
        yield f"{len(self.matched)} of {len(self.posting.body.skills_required)} skills"
        if self.role:
            yield "a role they look for"
        if self.place:
            yield "a place they like"
        if self.pay == 1:
            yield "enough pay"


@dataclass(frozen=True)
class Match:
    fit: Fit
    entry: Entry[MatchIn]

    @property
    def body(self) -> MatchIn:
        return self.entry.body


def made(people: Sequence[Person], postings: Sequence[Posting], today: datetime) -> list[Match]:
    random = chance("matching")
    best = (fit for person in people for fit in best_fits(person, postings))
    return [match(random, index, fit, today) for index, fit in enumerate(best)]


def best_fits(person: Person, postings: Sequence[Posting]) -> list[Fit]:
    """As many as are kept, the newest posting first."""
    fits = [compared(person, posting) for posting in postings]
    least = sorted((fit.score for fit in fits), reverse=True)[MATCHES_EACH - 1]
    return [fit for fit in fits if fit.score >= least][:MATCHES_EACH]


def compared(person: Person, posting: Posting) -> Fit:
    wishes, job = person.body.preferences, posting.body
    return Fit(
        person,
        posting,
        matched=[skill for skill in job.skills_required if skill in wishes.skills],
        missing=[skill for skill in job.skills_required if skill not in wishes.skills],
        role=float(posting.trade.title in wishes.target_roles),
        place=float(job.location in wishes.desired_locations),
        level=closeness(person.level, posting.level),
        pay=pays(wishes, job, person.home.currency),
    )


def closeness(one: Level, other: Level) -> float:
    return max(0.0, 1 - 0.4 * abs(LEVELS.index(one) - LEVELS.index(other)))


def pays(wishes: Preferences, job: JobIn, currency: str) -> float:
    """Whether it reaches the least that is wished for; half a point for what cannot be compared."""
    offer = job.salary_range
    if offer is None or offer.currency != currency or offer.max is None or wishes.salary_min is None:
        return 0.5
    return float(offer.max >= wishes.salary_min)


def match(random: Random, index: int, fit: Fit, today: datetime) -> Match:
    at = between(random, max(fit.person.since, fit.posting.since), MATCHING_TAKES, today)
    user = fit.person.body
    body = MatchIn(
        user_id=fit.person.entry.id,
        job_id=fit.posting.entry.id,
        relevancy_score=fit.score,
        matched_at=at,
        match_reason=", ".join(fit.reasons).capitalize(),
        is_active=fit.posting.body.is_active,
        match_details=MatchDetails(
            skills_matched=fit.matched,
            skills_missing=fit.missing,
            overall_compatibility=round(fit.beyond_skills, 2),
        ),
        user_snapshot=UserSnapshot(
            preferences_at_match=user.preferences.stored(),
            credentials_at_match=user.credentials or {},
        ),
    )
    return Match(fit, Entry(nth_id("match", index), body, {}))


def between(random: Random, start: datetime, longest: timedelta, today: datetime) -> datetime:
    """Some time after the start, but not after today."""
    end = min(start + longest, today)
    return start + timedelta(seconds=random.randint(0, int((end - start).total_seconds())))
