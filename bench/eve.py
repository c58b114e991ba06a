"""Eve as its documentation sets it up: the postings as a resource, all else at Eve's defaults.

Renamed only, so that all peers understand the same request: `max_results` is `limit`, times are written as in
JSON elsewhere, and the postings are to be found at `/jobs/bulk` too, for many at once.

At its best it reads a collection of its own: the same postings with the `_etag`, `_created` and
`_updated` that it would have stored itself, where it has to compute an entity tag for each document
of ours. And it does not count the whole list for each page, which it does unless told otherwise.
"""

import os
from typing import Any

OWN_COLLECTION = "jobs_eve"

TEXT = {"type": "string"}
NEEDED = {"type": "string", "required": True}
MOMENT = {"type": "datetime"}
NUMBER = {"type": "number", "nullable": True}

JOBS = {
    "resource_methods": ["GET", "POST"],
    "item_methods": ["GET", "PATCH", "PUT", "DELETE"],
    "schema": {
        "external_id": NEEDED,
        "title": NEEDED,
        "company": NEEDED,
        "description": NEEDED,
        "location": NEEDED,
        "remote_type": TEXT,
        "skills_required": {"type": "list", "schema": TEXT},
        "posted_date": MOMENT,
        "source_url": TEXT,
        "source_platform": TEXT,
        "salary_range": {"type": "dict", "schema": {"min": NUMBER, "max": NUMBER, "currency": TEXT}},
        "ml_features": {
            "type": "dict",
            "schema": {
                "processed_text": TEXT,
                "keyword_vector": {"type": "list", "schema": {"type": "float"}},
            },
        },
        "is_active": {"type": "boolean", "default": True},
        "created_at": MOMENT,
    },
}


def create_app(*, at_its_best: bool = False) -> Any:
    # Not at the top: who only fills the collection does without Eve.
    from eve import Eve

    source = OWN_COLLECTION if at_its_best else "jobs"
    datasource = {"source": source, "default_sort": [("posted_date", -1)]}
    settings = {
        "MONGO_URI": os.environ["MONGODB_URI"],
        "MONGO_DBNAME": os.environ["PROD_DB"],
        "QUERY_MAX_RESULTS": "limit",
        "DATE_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
        "OPTIMIZE_PAGINATION_FOR_SPEED": at_its_best,
        "DOMAIN": {
            "jobs": {**JOBS, "datasource": datasource},
            "bulk": {**JOBS, "datasource": datasource, "url": "jobs/bulk"},
        },
    }
    return Eve(settings=settings)


def as_eve_stores(posting: dict[str, Any]) -> dict[str, Any]:
    """A posting with what Eve adds to each document that it inserts."""
    fields = {name: value for name, value in posting.items() if name != "revision"}
    added = {"_created": posting["created_at"], "_updated": posting["created_at"]}
    return {**fields, **added, "_etag": f"{posting['_id']}{'0' * 16}"}
