"""Postings, the newest first; each with its trade, level and place, which matching wants to know."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from backend.app.models.jobs import JobIn, MlFeatures, SalaryRange
from backend.demo.entry import Entry, Made, chance, nth_id
from backend.demo.vocabulary import (
    EMPLOYERS,
    LEVELS,
    ML,
    NEW_YORK,
    PERKS,
    PLACES,
    PLATFORMS,
    REMOTE,
    TRADES,
    Level,
    Place,
    Trade,
    salary,
)

COUNT = 400
# The newest appeared this long ago, the others one after the other before it.
NEWEST = timedelta(hours=3)
MINUTES_BETWEEN = (60, 360)
DAYS_OPEN = 45


@dataclass(frozen=True)
class Posting(Made[JobIn]):
    trade: Trade
    level: Level
    place: Place
    entry: Entry[JobIn]


def made(today: datetime) -> list[Posting]:
    random = chance("postings")
    postings = [first(today)]
    while len(postings) < COUNT:
        posted = postings[-1].body.posted_date - timedelta(minutes=random.randint(*MINUTES_BETWEEN))
        postings.append(another(random, len(postings), posted, today))
    return postings


def first(today: datetime) -> Posting:
    """The one that every example is about."""
    level, pay = LEVELS[1], salary(ML, LEVELS[1], NEW_YORK)
    skills = list(ML.skills[:6])
    body = JobIn(
        external_id="demo-0001",
        title=ML.title,
        company="Brightwater Labs",
        description=(
            "Our sensors report from two hundred rivers every minute. You will build the models that tell a "
            "spill from a storm, put them behind an interface that city engineers query, and keep them right "
            "while the seasons change. You know Python and PyTorch well, and have run a model in production."
        ),
        location=NEW_YORK.name,
        remote_type="hybrid",
        skills_required=skills,
        posted_date=today - NEWEST,
        source_url="https://jobs.example.com/linkedin/demo-0001",
        source_platform="LinkedIn",
        salary_range=SalaryRange(min=pay - 20_000, max=pay + 20_000, currency=NEW_YORK.currency),
        ml_features=features(ML.title, skills),
    )
    return Posting(ML, level, NEW_YORK, entry(0, body, today))


def another(random: Random, index: int, posted: datetime, today: datetime) -> Posting:
    trade = random.choice(TRADES)
    level = random.choices(LEVELS, weights=(2, 5, 4, 1))[0]
    place = random.choices(PLACES, weights=[4 if place.name == REMOTE else 1 for place in PLACES])[0]
    company, purpose = random.choice(EMPLOYERS)
    platform = random.choice(PLATFORMS)
    title = level.prefix + trade.title
    skills = asked_for(random, trade)
    number = f"demo-{index + 1:04d}"
    filled = random.random() < 0.05
    body = JobIn(
        external_id=number,
        title=title,
        company=company,
        description=description(random, title, f"{company} {purpose}.", trade, skills),
        location=place.name,
        remote_type="remote" if place.name == REMOTE else random.choice(("onsite", "hybrid", "hybrid")),
        skills_required=skills,
        posted_date=posted,
        source_url=f"https://jobs.example.com/{platform.lower().replace(' ', '-')}/{number}",
        source_platform=platform,
        salary_range=offered(random, trade, level, place),
        ml_features=features(title, skills) if random.random() < 0.9 else None,
        is_active=not filled and today - posted < timedelta(days=DAYS_OPEN),
    )
    return Posting(trade, level, place, entry(index, body, today))


def entry(index: int, body: JobIn, today: datetime) -> Entry[JobIn]:
    ingested = body.posted_date + timedelta(minutes=20 + index % 25)
    kept = {"created_at": ingested}
    if not body.is_active:
        kept["updated_at"] = min(ingested + timedelta(days=DAYS_OPEN), today)
    return Entry(nth_id("job", index), body, kept)


def asked_for(random: Random, trade: Trade) -> list[str]:
    """What is typical of the trade, some of what is less so, in no order that would tell."""
    skills = [*trade.skills[:3], *random.sample(trade.skills[3:], random.randint(1, 4))]
    random.shuffle(skills)
    return skills


def description(random: Random, title: str, employer: str, trade: Trade, skills: list[str]) -> str:
    one, other = random.sample(trade.duties, 2)
    article = "an" if title[0] in "AEIOU" else "a"
    return (
        f"{employer} As {article} {title} you will {one}, and {other}. "
        f"You bring {', '.join(skills[:-1])} and {skills[-1]}. {random.choice(PERKS)}"
    )


def offered(random: Random, trade: Trade, level: Level, place: Place) -> SalaryRange | None:
    """Not every employer says what it pays, and some name only the least."""
    middle = salary(trade, level, place)
    low = round(middle * random.uniform(0.8, 0.95), -3)
    high = round(middle * random.uniform(1.05, 1.25), -3)
    says = random.random()
    if says < 0.2:
        return None
    return SalaryRange(min=low, max=high if says < 0.95 else None, currency=place.currency)


def features(title: str, skills: list[str]) -> MlFeatures:
    """How much of each trade is in the posting: a vector that a reader can check by eye."""
    vector = [round(len(set(skills) & set(trade.skills)) / len(skills), 3) for trade in TRADES]
    return MlFeatures(processed_text=" ".join([title, *skills]).lower(), keyword_vector=vector)
