"""What Schemathesis cannot know from the OpenAPI document: it loads this module, for the hooks at its end."""

import json
import re
from functools import cache
from hashlib import blake2b
from itertools import chain, count
from typing import Any

import schemathesis
from hypothesis.control import current_build_context

from backend.app.models.base import EXAMPLE_IDS
from backend.app.models.job_filters import NAMES
from backend.tests.fuzz.stock import Stock

# What a request may be refused for although the document allows it, by the code of its problem. A refusal for
# any other reason is a failure: either the document can be made to say it, or the app is wrong.
BEYOND_SCHEMA = {
    "stale": "an entity tag that is well made, and not the present one",
    "idempotency_key_reused": "whether there was another request under a key before",
    "invalid_cursor": "a cursor comes out of a Link header, and no pattern tells one from a made-up one",
    "range": "one field against another, sent or stored: salary_min and salary_max, min and max",
    "in_the_future": "against the clock",
    "object_key": "keys below the top level: openapi-python-client cannot read a schema that holds itself",
    "object_too_deep": "JSON Schema has no keyword for depth",
    "object_too_large": "nor for size in bytes",
    "object_integer": "to it integers are numbers, and other numbers may well be past 64 bits",
    "too_large": "how many items an array may have depends on a parameter",
    "not_atomic": "one parameter against the form of the body",
    "not_found": "of all or none, the parents of one may not be there",
    "no_words": "what is a word and what is none takes more than a pattern to tell",
    "too_many_words": "and so does how many there are",
    "blank": "nor is there a pattern for what cannot be seen",
    "no_score": "one parameter against another, or against what was saved",
    "parent_name": "which of two fields is sent: a generated client would have each in four classes",
}
MAY_BE_BLANK = NAMES | {"fields", "exclude"}
PAIRS = (("preferences", "salary_min", "salary_max"), ("salary_range", "min", "max"))
LINES = "application/x-ndjson"
ENTITY_TAG = re.compile('"[0-9a-f]{24}"')

numbers = count(1)


@cache
def stock() -> Stock:
    return Stock()


def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether a failure counts."""
    if "positive_data_acceptance" in failure.checks:
        return not is_beyond_schema(response.content)
    if "negative_data_rejection" in failure.checks:
        return not is_refused_all_the_same(case, response)
    if "ensure_resource_availability" in failure.checks:
        return not any(stock().went_with_parent(key) for key in case.path_parameters.values())
    return True


def is_beyond_schema(body: bytes) -> bool:
    problem = json.loads(body)
    faults = problem.get("errors", [problem])
    return all(fault["code"] in BEYOND_SCHEMA for fault in faults)


def is_refused_all_the_same(case: Any, response: Any) -> bool:
    """Whether what may not be sent was refused by the item, or for its length."""
    if response.status_code == 207:
        return bool(json.loads(response.content)["summary"]["rejected"])
    if has_blank_filter(case):
        return True
    # To the document lines are a string; any bytes are lines of some kind, and none of them are no items.
    return bool(response.status_code == 413 or (response.status_code == 200 and case.media_type == LINES))


def has_blank_filter(case: Any) -> bool:
    """Whether there is a field of a form that was left empty, which asks for nothing."""
    sent = (value for name, value in case.query.items() if name in MAY_BE_BLANK)
    parts = chain.from_iterable(value if isinstance(value, list) else [value] for value in sent)
    return any(not str(part).strip() for part in parts)


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


def with_ids(parameters: dict[str, Any]) -> dict[str, Any]:
    """An answer to a bulk call may tell of an item without an id, and that is none to ask for."""
    return {
        name: EXAMPLE_IDS[name[:-3]] if str(value) == "None" else value for name, value in parameters.items()
    }


def after_call(context: Any, case: Any, response: Any) -> None:
    if case.method == "DELETE" and response.status_code == 204:
        stock().deleted.update(case.path_parameters.values())
    elif case.method == "POST" and response.status_code in (200, 201):
        made = json.loads(response.content)
        if "id" in made:
            stock().parents[made["id"]] = {made.get("user_id"), made.get("job_id")}


def make_likelier(case: Any) -> None:
    """Most would else be refused for a made-up entity tag or cursor, a taken key, or amounts out of order."""
    case.path_parameters = with_ids(case.path_parameters)
    tag = case.headers.get("If-Match", "")
    if "If-Match" in case.headers and not (ENTITY_TAG.fullmatch(tag) or one_in_eight(tag)):
        case.headers["If-Match"] = "*"
    if "cursor" in case.query and not one_in_eight(case.query["cursor"]):
        del case.query["cursor"]
    if "Idempotency-Key" in case.headers and not one_in_eight(case.headers["Idempotency-Key"]):
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
    if isinstance(case.body, dict):
        case.body = acceptable(case.body)
    elif isinstance(case.body, list):
        case.body = [acceptable(item) if isinstance(item, dict) else item for item in case.body]


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


def lines(context: Any, value: Any) -> bytes:
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


schemathesis.serializer(LINES)(lines)
schemathesis.hook(filter_failure)
schemathesis.hook(before_call)
schemathesis.hook(after_call)
