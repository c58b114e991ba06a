"""What a search finds, counted by what can be asked of it."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from backend.app.models.base import Count, Utc

TotalIs = Literal["exact", "at_least", "estimate"]


class ValueCount(BaseModel):
    """How many postings have a value."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    value: str
    """As most of them spell it: to be sent as the filter."""
    postings: Count


class Facet(BaseModel):
    """What the postings are counted by: the filter of the same name itself is left out."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    is_exact: bool
    """Whether all postings are counted, or the newest of them only."""
    counted: Count
    """How many were counted."""


class ValuesFacet(Facet):
    """The values of a field. Those that differ in case, accents or plurals are one."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    values: list[ValueCount]
    """Most postings first; of equals, the first by name."""
    unnamed: Count
    """How many have none."""


class PayCount(BaseModel):
    """How many postings pay so much, at their best."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    at_least: Count
    below: Count | None
    """Null in the last, if that has no upper end."""
    postings: Count


class PayFacet(Facet):
    """What the postings pay, at their best, in the one currency that most of them pay in."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    currency: str | None
    """Null if none names a salary."""
    ranges: list[PayCount]
    """Equally wide, the lowest first, none left out."""
    otherwise_paid: Count
    """How many pay in another currency."""
    unpaid: Count
    """How many name no salary."""


class WeekCount(BaseModel):
    """How many were posted in a week."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    week: date
    """Its Monday, in UTC."""
    postings: Count


class WeeksFacet(Facet):
    """When they were posted."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    weeks: list[WeekCount]
    """The latest 52 in which any were, the first of them first."""
    earlier: Count
    """How many were posted before."""


class FacetCounts(BaseModel):
    """Counts by each filter."""

    remote_type: ValuesFacet
    skill: ValuesFacet
    company: ValuesFacet
    location: ValuesFacet
    source_platform: ValuesFacet
    currency: ValuesFacet
    salary: PayFacet
    posted: WeeksFacet


class WithoutFilter(BaseModel):
    """What a search would find without one of its filters."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    filter: str
    """Its name: `salary` and `posted` stand for both of their bounds."""
    total: Count
    total_is: TotalIs
    """As that of the search itself."""


def _values(*counts: tuple[str, int], unnamed: int = 0) -> dict[str, JsonValue]:
    values: list[JsonValue] = [{"value": value, "postings": postings} for value, postings in counts]
    return {"is_exact": True, "counted": 53, "values": values, "unnamed": unnamed}


class JobFacets(BaseModel):
    """What a search of postings finds, counted."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "total": 53,
                    "total_is": "exact",
                    "facets": {
                        "remote_type": _values(("remote", 31), ("hybrid", 12), unnamed=10),
                        "skill": _values(("Python", 40), ("SQL", 22)),
                        "company": _values(("OpenAI Labs", 7)),
                        "location": _values(("San Francisco, CA", 21), ("Berlin", 9)),
                        "source_platform": _values(("LinkedIn", 33), ("Indeed", 20)),
                        "currency": _values(("USD", 28), ("EUR", 5), unnamed=20),
                        "salary": {
                            "is_exact": True,
                            "counted": 53,
                            "currency": "USD",
                            "ranges": [
                                {"at_least": 50000, "below": 100000, "postings": 17},
                                {"at_least": 100000, "below": 150000, "postings": 11},
                            ],
                            "otherwise_paid": 5,
                            "unpaid": 20,
                        },
                        "posted": {
                            "is_exact": True,
                            "counted": 53,
                            "weeks": [
                                {"week": "2026-11-09", "postings": 30},
                                {"week": "2026-11-16", "postings": 23},
                            ],
                            "earlier": 0,
                        },
                    },
                    "without": [],
                    "as_of": "2026-11-20T09:30:00.125000Z",
                }
            ]
        },
    )

    total: Count
    """How many postings match."""
    total_is: TotalIs
    """`exact`; `at_least`, where it is 10,000 and there are more; or `estimate`, from the newest."""
    facets: FacetCounts
    without: list[WithoutFilter]
    """Of a search that finds nothing: how many it would find without each of its filters."""
    as_of: Utc | None
    """When it was counted, if not just now: about a minute ago at most, and only where no filter is given."""
