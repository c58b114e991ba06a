"""Users, the oldest first; each with the trade and the level they are looking in."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from backend.app.models.base import Document
from backend.app.models.users import Preferences, UserIn
from backend.demo.entry import Entry, Made, chance, nth_id
from backend.demo.vocabulary import (
    CERTIFICATES,
    DEGREES,
    LEVELS,
    ML,
    NAMES,
    NEW_YORK,
    PLACES,
    REMOTE,
    TRADES,
    Level,
    Place,
    Trade,
    salary,
)

DAYS_SINCE_THE_FIRST = 400
HOURS_BETWEEN = (60, 240)
LANGUAGES = ("English", "Spanish", "German", "French", "Hindi", "Mandarin", "Arabic", "Portuguese")
AT_HOME = [place for place in PLACES if place.name != REMOTE]

Seeking = tuple[Trade, Level, Place, list[str]]
# The user of every example suits the posting of every example well, and lacks one skill of it.
FIRST: Seeking = (ML, LEVELS[1], NEW_YORK, ["Python", "Machine Learning", "PyTorch", "SQL", "FastAPI", "Git"])


@dataclass(frozen=True)
class Person(Made[UserIn]):
    trade: Trade
    level: Level
    home: Place
    entry: Entry[UserIn]


def made(today: datetime) -> list[Person]:
    random = chance("people")
    joined = today - timedelta(days=DAYS_SINCE_THE_FIRST)
    people = []
    for index, name in enumerate(NAMES):
        trade, level, home, skills = FIRST if index == 0 else drawn(random)
        body = UserIn(
            name=name,
            email=email(name),
            preferences=wishes(random, trade, level, home, skills),
            credentials=credentials(random, trade, level),
        )
        kept: Document = {"created_at": joined}
        if random.random() < 0.4:
            kept["updated_at"] = min(joined + timedelta(days=random.randint(1, 20)), today)
        people.append(Person(trade, level, home, Entry(nth_id("user", index), body, kept)))
        joined += timedelta(hours=random.randint(*HOURS_BETWEEN), minutes=random.randint(0, 59))
    return people


def drawn(random: Random) -> Seeking:
    trade, home = random.choice(TRADES), random.choice(AT_HOME)
    level = random.choices(LEVELS, weights=(3, 5, 4, 1))[0]
    return trade, level, home, known(random, trade)


def email(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"{plain.lower().replace(chr(39), '').replace(' ', '.')}@example.com"


def wishes(random: Random, trade: Trade, level: Level, home: Place, skills: list[str]) -> Preferences:
    wanted = salary(trade, level, home)
    return Preferences(
        desired_locations=[home.name, *([REMOTE] if random.random() < 0.7 else [])],
        target_roles=[trade.title, *([neighbour(random, trade).title] if random.random() < 0.4 else [])],
        skills=skills,
        experience_level=level.name,
        salary_min=round(wanted * 0.9, -3),
        salary_max=round(wanted * 1.2, -3),
    )


def known(random: Random, trade: Trade) -> list[str]:
    """Most of what the trade asks for, and a little of a neighbouring one."""
    skills = [
        *trade.skills[:2],
        *random.sample(trade.skills[2:], random.randint(2, 4)),
        *random.sample(neighbour(random, trade).skills, random.randint(0, 2)),
    ]
    return list(dict.fromkeys(skills))


def neighbour(random: Random, trade: Trade) -> Trade:
    return random.choice([other for other in TRADES if other.field == trade.field and other is not trade])


def credentials(random: Random, trade: Trade, level: Level) -> Document:
    held: Document = {
        "years_experience": random.randint(*level.years),
        "degrees": [random.choice(DEGREES[trade.field])],
        "languages": ["English", *random.sample(LANGUAGES[1:], random.randint(0, 2))],
    }
    if random.random() < 0.4:
        held["certificates"] = [random.choice(CERTIFICATES[trade.field])]
    return held
