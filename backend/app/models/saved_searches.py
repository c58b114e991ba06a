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
    """What to look for, as an object of the client's own making."""


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
    new_matches: Count = 0
    last_viewed: Utc | None = None
    last_match_check: Utc | None = None
    created_at: Utc


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
