"""What there is in the whole service, for a front page."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from backend.app.models.base import Count, Utc


class Ranked(BaseModel):
    """A company or a skill, and how many active postings name it."""

    name: str
    postings: Count


class OfSource(BaseModel):
    """How many postings come from a source."""

    source_platform: str
    postings: Count


class WeekOfPostings(BaseModel):
    """What was posted in a week."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    week: date
    """Its Monday, in UTC."""
    postings: Count
    """Active or not, whatever their source."""
    by_source: list[OfSource]
    """Of the sources in `postings_by_source`, in that order."""


class WeekOfApplications(BaseModel):
    """How often users applied in a week."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    week: date
    """Its Monday, in UTC."""
    applications: Count


class Overview(BaseModel):
    """What there is in the whole service."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "users": 1200,
                    "postings": 48210,
                    "active_postings": 31877,
                    "new_postings": 2140,
                    "matches": 90155,
                    "postings_by_week": [
                        {
                            "week": "2026-11-16",
                            "postings": 1830,
                            "by_source": [
                                {"source_platform": "LinkedIn", "postings": 1104},
                                {"source_platform": "Indeed", "postings": 610},
                            ],
                        }
                    ],
                    "postings_by_source": [
                        {"source_platform": "LinkedIn", "postings": 19802},
                        {"source_platform": "Indeed", "postings": 10377},
                    ],
                    "top_companies": [{"name": "OpenAI Labs", "postings": 412}],
                    "top_skills": [{"name": "Python", "postings": 9034}],
                    "applications_by_week": [{"week": "2026-11-16", "applications": 377}],
                    "as_of": "2026-11-20T09:30:00.125000Z",
                }
            ]
        },
    )

    users: Count
    postings: Count
    """Active or not."""
    active_postings: Count
    new_postings: Count
    """Active ones that came in during the last seven days, by `created_at`."""
    matches: Count
    """Active or not."""
    postings_by_week: list[WeekOfPostings]
    """Postings by `posted_date`, active or not: twelve weeks, the present one last."""
    postings_by_source: list[OfSource]
    """The five sources with the most active postings; of equals, the first by name."""
    top_companies: list[Ranked]
    """The ten with the most active postings; of equals, the first by name."""
    top_skills: list[Ranked]
    """The ten that most active postings ask for, spelt just so; of equals, the first by name."""
    applications_by_week: list[WeekOfApplications]
    """Interactions of the type `applied` by `timestamp`: twelve weeks, the present one last."""
    as_of: Utc
    """When this was counted: just now, or where there are many postings, up to some minutes ago."""
