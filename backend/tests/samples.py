"""Bodies that the API takes, as small as they may be; each call makes another."""

from itertools import count
from typing import Any

Body = dict[str, Any]

_numbers = count(1)


def user(**changes: Any) -> Body:
    return {"name": "Ada", "email": f"ada{next(_numbers)}@example.com", **changes}


def job(**changes: Any) -> Body:
    return {
        "external_id": f"job-{next(_numbers)}",
        "title": "Engineer",
        "company": "Initech",
        "description": "Builds things.",
        "location": "Berlin",
        **changes,
    }


def match(user_id: str, job_id: str, **changes: Any) -> Body:
    return {"user_id": user_id, "job_id": job_id, "relevancy_score": 0.5, **changes}


def search(user_id: str, **changes: Any) -> Body:
    return {
        "user_id": user_id,
        "search_name": "Engineers",
        "search_query": {"title": "engineer"},
        **changes,
    }


def interaction(user_id: str, job_id: str, **changes: Any) -> Body:
    return {"user_id": user_id, "job_id": job_id, "interaction_type": "viewed", **changes}


def run(**changes: Any) -> Body:
    return {"source_platform": "LinkedIn", **changes}
