"""How well a posting answers a search: where in it the words stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from backend.app.models.conditions import AnyOf, JobQuery, Phrase
from backend.app.models.searchable import WORDS, tag

IN_TITLE, IN_SKILLS, ANYWHERE = 3, 2, 1
# Of as many words are the names of skills that are looked for in a search.
LONGEST_SKILL = 3


@dataclass(frozen=True)
class Score:
    """Of 1 if all words are in the title, and less if some are in the skills only, or elsewhere."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, query: JobQuery) -> "Score":
        found = (value for condition in query.conditions.get("q", ()) for value in _words(condition))
        return cls(tuple(dict.fromkeys(found)))

    @cached_property
    def tags(self) -> list[str]:
        """All that make a difference."""
        return [tag("title", word) for word in self.words] + list(self._skills)

    def __call__(self, tags: Iterable[str]) -> float:
        """For a posting with these tags."""
        there = set(tags)
        skilled = {word for skill, words in self._skills.items() if skill in there for word in words}
        points = sum(
            IN_TITLE if tag("title", word) in there else IN_SKILLS if word in skilled else ANYWHERE
            for word in self.words
        )
        return round(points / (IN_TITLE * len(self.words)), 4)

    @cached_property
    def _skills(self) -> dict[str, tuple[str, ...]]:
        """The skills that the words may name, one by one or several together."""
        parts = [
            self.words[start : start + length]
            for length in range(1, LONGEST_SKILL + 1)
            for start in range(len(self.words) - length + 1)
        ]
        return {tag("skill", " ".join(words)): words for words in parts}


def _words(condition: object) -> Iterable[str]:
    match condition:
        case AnyOf(place, values) if place == WORDS:
            return values
        case Phrase((word,), wanted=True):
            return (word,)
    return ()
