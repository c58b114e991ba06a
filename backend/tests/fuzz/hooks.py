"""What Schemathesis cannot know from the OpenAPI document: it loads this module, for the hooks at its end."""

import json
import re
from functools import cache
from hashlib import blake2b
from itertools import count
from typing import Any

import schemathesis
from hypothesis.control import current_build_context

from backend.app.models.base import EXAMPLE_IDS
from backend.tests.fuzz.stock import Stock

# What a request may be refused for although the document allows it, by the code of its problem. A refusal for
# any other reason is a failure: either the document can be made to say it, or the app is wrong.
BEYOND_SCHEMA = {
    "stale": "an entity tag that is well made, and not the present one",
    "invalid_cursor": "a cursor comes out of a Link header, and no pattern tells one from a made-up one",
    "range": "one field against another, sent or stored: salary_min and salary_max, min and max",
    "in_the_future": "against the clock",
    "object_key": "keys below the top level: openapi-python-client cannot read a schema that holds itself",
    "object_too_deep": "JSON Schema has no keyword for depth",
    "object_too_large": "nor for size in bytes",
    "object_integer": "to it integers are numbers, and other numbers may well be past 64 bits",
}
PAIRS = (("preferences", "salary_min", "salary_max"), ("salary_range", "min", "max"))
ENTITY_TAG = re.compile('"[0-9a-f]{24}"')

numbers = count(1)


@cache
def stock() -> Stock:
    return Stock()


def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether a failure counts."""
    if "positive_data_acceptance" in failure.checks:
        return not is_beyond_schema(response.content)
    if "ensure_resource_availability" in failure.checks:
        return not any(stock().went_with_parent(key) for key in case.path_parameters.values())
    return True


def is_beyond_schema(body: bytes) -> bool:
    problem = json.loads(body)
    faults = problem.get("errors", [problem])
    return all(fault["code"] in BEYOND_SCHEMA for fault in faults)


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.meta is None:
        return
    likely = case.meta.generation.mode.is_positive
    if case.meta.phase.name.value == "stateful":
        stock().reset(sequence=current_build_context())
    else:
        stock().refill()
        if likely and case.method == "DELETE":
            case.path_parameters = {name: EXAMPLE_IDS[name[:-3]] for name in case.path_parameters}
    if likely:
        make_likelier(case)


def after_call(context: Any, case: Any, response: Any) -> None:
    if case.method == "DELETE" and response.status_code == 204:
        stock().deleted.update(case.path_parameters.values())
    elif case.method == "POST" and response.status_code in (200, 201):
        made = json.loads(response.content)
        stock().parents[made["id"]] = {made.get("user_id"), made.get("job_id")}


def make_likelier(case: Any) -> None:
    """Most would else be refused for a made-up entity tag or cursor, a taken key, or amounts out of order."""
    tag = case.headers.get("If-Match", "")
    if "If-Match" in case.headers and not (ENTITY_TAG.fullmatch(tag) or one_in_eight(tag)):
        case.headers["If-Match"] = "*"
    if "cursor" in case.query and not one_in_eight(case.query["cursor"]):
        del case.query["cursor"]
    if isinstance(case.body, dict):
        case.body = acceptable(case.body)


def one_in_eight(value: str) -> bool:
    """By what the value is, since a sequence of requests should go the same way twice."""
    return blake2b(value.encode()).digest()[0] < 32


def acceptable(body: dict[str, Any]) -> dict[str, Any]:
    changed = dict(body)
    if "email" in body:
        changed["email"] = f"ada{next(numbers)}@example.com"
    if "external_id" in body:
        changed["external_id"] = f"job-{next(numbers)}"
    for name, low, high in PAIRS:
        inner = body.get(name) or {}
        if inner.get(low) is not None and inner.get(high) is not None:
            changed[name] = {**inner, low: min(inner[low], inner[high]), high: max(inner[low], inner[high])}
    return changed


schemathesis.hook(filter_failure)
schemathesis.hook(before_call)
schemathesis.hook(after_call)
