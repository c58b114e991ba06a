"""Searches that somebody wants to come back to."""

from typing import Annotated

from annotated_types import Len
from pydantic import ConfigDict

from backend.app.models.base import (
    EXAMPLE_IDS,
    Body,
    Count,
    JsonObject,
    SearchId,
    Stored,
    UserId,
    Utc,
)
from backend.app.models.partial import partial


class SearchFields(Body):
    search_name: Annotated[str, Len(1, 150)]
    search_query: JsonObject
    """What to look for, by the names that `GET /jobs/` has, each with one value, or a list where it may be
    repeated there; `role` stands for `title`, `skills` for `skill`. Any other key is kept, and makes no
    difference."""


class SearchIn(SearchFields):
    """A new saved search."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": EXAMPLE_IDS["user"],
                    "search_name": "Data Scientist Roles",
                    "search_query": {"title": "data scientist", "location": "remote"},
                }
            ]
        }
    )

    user_id: UserId


class SavedSearch(SearchIn, Stored):
    """A saved search, as stored."""

    id: SearchId
    total_matches: Count = 0
    """How many postings match, at this moment: exactly, up to 10,000."""
    total_is_capped: bool = False
    """Whether it is more than the 10,000 that `total_matches` says."""
    new_matches: Count = 0
    """How many of them came in since `last_viewed`, or since the search was saved: exactly."""
    ignored_keys: list[str] = []
    """The keys of `search_query` that make no difference: unknown, or of a value that says nothing."""
    last_viewed: Utc | None = None
    """When somebody last said that they have seen what it finds: null until then."""
    last_match_check: Utc | None = None
    """The same as `last_viewed`."""
    created_at: Utc


LIVE = frozenset(("total_matches", "total_is_capped", "new_matches", "ignored_keys"))
"""What is worked out whenever a saved search is shown."""


@partial(nested=True)
class SearchPatch(SearchFields):
    """A merge patch of a saved search: keys of `search_query` merge, null takes one away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"search_name": "Updated Name"}]})


@partial(nested=False)
class SearchPut(SearchFields):
    """The fields of a saved search to replace."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"search_name": "New", "search_query": {"role": "frontend"}}]}
    )
