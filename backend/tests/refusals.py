"""What an answer that refuses a request must look like, whatever was sent."""

import httpx

from backend.tests.unfit import MARKER

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
INSIDES = (
    "traceback",
    'file "',
    ".py",
    "site-packages",
    "pymongo",
    "mongodb",
    "bson",
    "pydantic",
    "orjson",
    "e11000",
    "0x",
)


def refusal(response: httpx.Response, *statuses: int, may_name: str = "") -> str | None:
    """What is wrong with the refusal, if anything is: it is a 4xx problem, and tells nothing of the input."""
    status = response.status_code
    if status not in statuses if statuses else not 400 <= status < 500:
        return f"{status} {response.text[:300]}"
    if response.headers["content-type"] != "application/problem+json":
        return f"content type {response.headers['content-type']}"
    problem = response.json()
    if set(problem) - {"errors"} != MEMBERS or problem["status"] != status:
        return f"members {sorted(problem)}"
    if problem["request_id"] != response.headers["x-request-id"]:
        return f"request id {problem['request_id']}"
    if len(problem.get("errors", [])) > 50:
        return f"{len(problem['errors'])} faults"
    text = response.text.lower()
    told = [word for word in (MARKER, *INSIDES) if word in text and word != may_name]
    return f"tells {told}: {response.text[:300]}" if told else None
