"""The filters of postings: parameters as clients write them, as a query."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal, Self

from annotated_types import Ge, Len
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from backend.app.models.base import Utc, check_order
from backend.app.models.conditions import AnyOf, Condition, JobQuery, NoneOf, Pays, Phrase, Posted
from backend.app.models.faults import suggestion
from backend.app.models.jobs import FoundJob
from backend.app.models.searchable import TAGS, UNPAID, WORDS, name_of, tag
from backend.app.models.words import COMMON, is_unspaced, words

LONGEST_TEXT = 500
MOST_WORDS = 20
MOST_VALUES = 50

# A phrase in quotes, the last of which may be left open, or what stands between spaces; a minus: not that.
_PART = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
# As phones and word processors write them.
_QUOTES = re.compile("[\u201c-\u201f\u00ab\u00bb\uff02]")
_PLUS = re.compile(r" (?=\d\d:\d\d\Z)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _has_words(text: str) -> str:
    found = len(words(text))
    if not found:
        raise PydanticCustomError("no_words", "There is no word in it to look for")
    if found > MOST_WORDS:
        raise PydanticCustomError("too_many_words", "At most {limit} words", {"limit": MOST_WORDS})
    return text


def _is_name(text: str) -> str:
    if not name_of(text):
        raise PydanticCustomError("blank", "Input should not be blank")
    return text


def _with_time(value: object) -> object:
    """A day stands for its first moment; and the plus of an offset, sent as it is, arrives as a space."""
    if not isinstance(value, str):
        return value
    return f"{value}T00:00:00Z" if _DATE.fullmatch(value) else _PLUS.sub("+", value)


# Blank is no fault: it asks for nothing.
Activity = Literal["true", "false", "any"]
ACTIVITIES: dict[Activity, bool | None] = {"true": True, "false": False, "any": None}

Words = Annotated[str, Len(0, LONGEST_TEXT), AfterValidator(_has_words)]
Names = Annotated[list[Annotated[str, Len(0, 200), AfterValidator(_is_name)]], Len(0, MOST_VALUES)]
Pay = Annotated[FiniteFloat, Ge(0)]
Since = Annotated[Utc, BeforeValidator(_with_time)]


class JobFilters(BaseModel):
    """What can be asked of postings; all of it must hold."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    q: Words | None = None
    """Words that all occur, in the title, company, skills, location or description. `"two words"` in quotes
    stand side by side; `-word` does not occur. Case, accents and plurals make no difference. Up to 20
    words."""
    title: Words | None = None
    """Words of the title."""
    company: Words | None = None
    """Words of the company's name."""
    location: Words | None = None
    """Words of the location. `remote` finds remote postings too, wherever they are."""
    skill: Names = []
    """A skill by its whole name; may be repeated."""
    skills: Literal["all", "any"] = "all"
    """Whether every `skill` has to be asked for, or one of them."""
    remote_type: Names = []
    """By its whole name, such as `remote`; one of these, if repeated."""
    source_platform: Names = []
    """From this platform, by its whole name; from one of these, if repeated."""
    salary_min: Pay | None = None
    """Pays this much or more, at its best. Without `currency`, figures are compared whatever the currency."""
    salary_max: Pay | None = None
    """Pays this much or less, at its least."""
    currency: Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$")] | None = None
    """Pays in this currency: three letters, ISO 4217."""
    include_unpaid: bool = False
    """Keep postings that name no salary, whatever is asked of it."""
    posted_after: Since | None = None
    """Posted at this time or later: RFC 3339, or a day."""
    posted_before: Since | None = None
    """Posted before this time: RFC 3339, or a day."""

    @model_validator(mode="before")
    @classmethod
    def _not_blank(cls, sent: object) -> object:
        """What a form sends for a field that is left empty asks for nothing."""
        if not isinstance(sent, dict):
            return sent
        kept = {name: value for name, value in sent.items() if name not in NAMES or not _is_blank(value)}
        for name, value in kept.items():
            if name in NAMES and isinstance(value, list):
                kept[name] = [item for item in value if not _is_blank(item)]
        return kept

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        check_order(self.salary_min, self.salary_max, "salary_min, salary_max")
        return self

    def query(self, active: bool | None = True) -> JobQuery:
        groups = {name: tuple(group) for name, group in self._groups()}
        return JobQuery({name: group for name, group in groups.items() if group}, active)

    def _groups(self) -> Iterator[tuple[str, Iterable[Condition]]]:
        yield "q", _of_text(self.q or "")
        for name in ("title", "company", "location"):
            yield name, _tagged(name, getattr(self, name) or "")
        skills = tuple(tag("skill", name_of(skill)) for skill in self.skill)
        if self.skills == "any":
            yield "skill", [AnyOf(TAGS, skills)] if skills else []
        else:
            yield "skill", [AnyOf(TAGS, (skill,)) for skill in dict.fromkeys(skills)]
        for name, field in (("remote_type", "remote"), ("source_platform", "platform")):
            named = tuple(tag(field, name_of(value)) for value in getattr(self, name))
            yield name, [AnyOf(TAGS, named)] if named else []
        if self.currency is not None:
            unpaid = (UNPAID,) if self.include_unpaid else ()
            yield "currency", [AnyOf(TAGS, (tag("currency", self.currency.upper()), *unpaid))]
        if self.salary_min is not None or self.salary_max is not None:
            yield "salary", [Pays(self.salary_min, self.salary_max, self.include_unpaid)]
        if self.posted_after is not None or self.posted_before is not None:
            yield "posted", [Posted(self.posted_after, self.posted_before)]


def apart(value: object) -> object:
    """`a,b&fields=c` as a, b and c."""
    if not isinstance(value, list):
        return value
    return [name.strip() for item in value for name in str(item).split(",") if name.strip()]


def _known(name: str) -> str:
    if name not in SHOWN:
        # Where a name nears one of ours, it may be shown; what is not near is not echoed.
        detail = "There is no such field" + suggestion(name, SHOWN)
        raise PydanticCustomError("unknown_field", "{detail}", {"detail": detail})
    return name


SHOWN = tuple(FoundJob.model_fields)
JobField = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*SHOWN]})]
JobFields = Annotated[list[JobField], BeforeValidator(apart)]
"""Names of fields, with commas between them."""

NAMES = frozenset(JobFilters.model_fields)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _tagged(field: str, text: str) -> Iterator[Condition]:
    return (AnyOf(TAGS, (tag(field, word),)) for word in dict.fromkeys(words(text)))


def _of_text(text: str) -> Iterator[Condition]:
    for minus, quoted, bare in _PART.findall(_QUOTES.sub('"', text)):
        found = words(quoted or bare)
        # Signs of a script without spaces are words only side by side.
        is_phrase = len(found) > 1 and (bool(quoted) or any(map(is_unspaced, found)))
        if minus:
            yield from _not(found)
        else:
            yield from map(_has, dict.fromkeys(found))
            if is_phrase:
                yield Phrase(tuple(found))


def _has(word: str) -> Condition:
    # What most postings have is in no index, and is looked for in those that are found by other words.
    return Phrase((word,)) if word in COMMON else AnyOf(WORDS, (word,))


def _not(found: Sequence[str]) -> Iterator[Condition]:
    if len(found) == 1 and found[0] not in COMMON:
        yield NoneOf(WORDS, (found[0],))
    elif found:
        yield Phrase(tuple(found), wanted=False)
