"""What a saved search asks for: an object of the client's own making, read as a query of postings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from pydantic import ValidationError

from backend.app.models.base import Document
from backend.app.models.conditions import AnyOf, Condition, JobQuery
from backend.app.models.job_filters import ACTIVITIES, NAMES, JobFilters
from backend.app.models.searchable import TAGS, tag
from backend.app.models.words import words

ACTIVITY = "is_active"
MEANINGS: Mapping[Any, bool | None] = {True: True, False: False, **ACTIVITIES}
"""What may be said of it: as in a parameter, or as JSON has it."""
ALIASES = {"role": "title", "skills": "skill"}
"""Names that people use, for ours."""
MODES = ("all", "any")
TEXTS = ("q", "title", "company", "location", "currency")
LISTS = ("skill", "remote_type", "source_platform")
NUMBERS = ("salary_min", "salary_max")

REMOTE = "remote"
# As people write it of a place to work: what means remote, and what says nothing more beside it.
MEANS_REMOTE = frozenset((REMOTE, "remotely", "wfh", "telecommute", "telework", "anywhere"))
ALSO_REMOTE = ("work from home", "working from home", "home office")
SAYS_NO_MORE = frozenset(
    words(
        "and, completely, first, friendly, full, fully, 100%, in, job, only, or, position, role, time, work"
    )
)


@dataclass(frozen=True)
class Wanted:
    query: JobQuery
    ignored: list[str]
    """The keys that say nothing about which postings, as they stand there."""


def wanted(search_query: Document) -> Wanted:
    """Each key by itself: one that cannot be understood takes nothing from the others."""
    found: dict[str, Any] = {}
    used = set()
    for key, name, value in _named(search_query):
        if name not in found and (value is None or _fits(name, value)):
            used.add(key)
            if value is not None:
                found[name] = value
    active = MEANINGS[found.pop(ACTIVITY, True)]
    try:
        filters = JobFilters.model_validate(found)
    except ValidationError:
        # Each fits by itself: it is the two salaries that are not in order.
        used.difference_update(NUMBERS)
        filters = JobFilters.model_validate(
            {name: value for name, value in found.items() if name not in NUMBERS}
        )
    query = filters.query(active)
    if filters.location is not None and (places := _remote(filters.location)):
        query = replace(query, conditions={**query.conditions, "location": places})
    return Wanted(query, sorted(search_query.keys() - used))


def _named(search_query: Document) -> Iterator[tuple[str, str, Any]]:
    """Each key with the name and the value that we have for it; what goes by our name comes first."""
    for key, value in sorted(search_query.items(), key=lambda item: item[0] in ALIASES):
        if key == ACTIVITY or (key == "skills" and value in MODES):
            yield key, key, value
        elif (name := ALIASES.get(key, key)) in NAMES:
            yield key, name, _usual(name, value)


def _usual(name: str, value: Any) -> Any:
    """One where there may be several, and a list of one where there is one."""
    if name in LISTS and isinstance(value, str):
        return [value]
    if name in TEXTS and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _fits(name: str, value: Any) -> bool:
    if name == ACTIVITY:
        return isinstance(value, bool | str) and value in MEANINGS
    if name in NUMBERS and isinstance(value, bool):
        return False
    try:
        JobFilters.model_validate({name: value})
    except ValidationError:
        return False
    return True


def _remote(location: str) -> tuple[Condition, ...]:
    """The conditions on a place that is said to be remote: one of some places, each by all of its words."""
    text = f" {' '.join(words(location))} "
    for phrase in ALSO_REMOTE:
        text = text.replace(f" {phrase} ", f" {REMOTE} ")
    if MEANS_REMOTE.isdisjoint(text.split()):
        return ()
    places = [tags for place in text.split(" or ") if (tags := _tags(place))]
    # The same as a list of conditions that all hold.
    choices = dict.fromkeys(tuple(dict.fromkeys(choice)) for choice in product(*places))
    return tuple(AnyOf(TAGS, choice) for choice in choices)


def _tags(place: str) -> list[str]:
    said = (REMOTE if word in MEANS_REMOTE else word for word in place.split() if word not in SAYS_NO_MORE)
    return [tag("location", word) for word in dict.fromkeys(said)]
