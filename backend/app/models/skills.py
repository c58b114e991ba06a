"""What a user's active matches miss, skill by skill."""

from typing import Annotated

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

from backend.app.models.base import EXAMPLE_IDS, Share, UserId

AtLeastOne = Annotated[int, Ge(1)]


class MissingSkill(BaseModel):
    """A skill that active matches of a user miss."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    skill: str
    """As the matches spell it."""
    matches: AtLeastOne
    """How many of the active matches miss it."""
    mean_score: Share
    """The mean of their `relevancy_score`, to four digits."""
    only_missing: Annotated[int, Ge(0)]
    """How many of them miss nothing else."""


class SkillGap(BaseModel):
    """What a user would have to learn, the skill that most active matches miss first."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "user_id": EXAMPLE_IDS["user"],
                    "active_matches": 40,
                    "skills": [
                        {"skill": "Docker", "matches": 12, "mean_score": 0.7125, "only_missing": 3},
                        {"skill": "Kafka", "matches": 5, "mean_score": 0.64, "only_missing": 0},
                    ],
                }
            ]
        },
    )

    user_id: UserId
    active_matches: Annotated[int, Ge(0)]
    skills: list[MissingSkill]
