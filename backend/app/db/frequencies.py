"""How often words and tags occur, from a sample: what to look postings up by."""

import time
from collections.abc import Mapping
from math import sqrt

from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo, deadline
from backend.app.db.schema import JOBS
from backend.app.models.conditions import AnyOf
from backend.app.models.searchable import TAGS, WORDS

SAMPLED = 4_000
# Of fewer, one way to find them is as good as another.
WORTH_A_SAMPLE = 10_000
SECONDS_BETWEEN_SAMPLES = 300.0
# What occurs less often is rare, and one as good as another.
LEAST = 3
SECONDS_FOR_A_SAMPLE = 30.0
# Until there is a sample: what tends to be rarer comes first.
GUESSES = (("skill:", 0.03), ("company:", 0.01), ("title:", 0.05), ("location:", 0.05))
GUESS = 0.2
RARE = 0.5 / SAMPLED


class Frequencies:
    """Holds nothing but what is common: some thousands of words, however many postings there are."""

    def __init__(self) -> None:
        self._shares: Mapping[str, float] = {}
        self.postings = 0
        """How many there were when the sample was taken."""
        self._due = 0.0

    def share(self, condition: AnyOf) -> float:
        """Of all postings: those with at least one of these."""
        return min(1.0, sum(map(self._share, condition.values)))

    def _share(self, value: str) -> float:
        if self._shares:
            return self._shares.get(value, RARE)
        return next((guess for start, guess in GUESSES if value.startswith(start)), GUESS)

    def is_few(self, share: float, page: int) -> bool:
        """Whether to look all of them up is less work than to come across a page of them."""
        return share * self.postings <= sqrt(page * self.postings)

    async def keep_up(self, mongo: Mongo) -> None:
        """Take a sample, if it is time for another."""
        if time.monotonic() >= self._due:
            await self.sample(mongo)
            self._due = time.monotonic() + SECONDS_BETWEEN_SAMPLES

    def is_at_most(self, share: float, number: int) -> bool:
        """Whether that share is so many postings, as far as is known."""
        return self.postings > 0 and share * self.postings <= number

    async def sample(self, mongo: Mongo) -> None:
        with deadline(SECONDS_FOR_A_SAMPLE), driver_errors():
            self.postings = await mongo[JOBS.name].estimated_document_count()
            if self.postings < WORTH_A_SAMPLE:
                return
            found = await mongo.aggregate(
                JOBS.name,
                [
                    {"$sample": {"size": SAMPLED}},
                    {"$project": {"_id": 0, "term": {"$concatArrays": ["$" + TAGS, "$" + WORDS]}}},
                    {"$unwind": "$term"},
                    {"$group": {"_id": "$term", "count": {"$sum": 1}}},
                    {"$match": {"count": {"$gte": LEAST}}},
                ],
                slow=True,
            )
        self._shares = {term["_id"]: term["count"] / SAMPLED for term in found}
