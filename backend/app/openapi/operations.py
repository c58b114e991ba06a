"""What any operation of its kind takes and answers, so that no router has to declare it."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from backend.app.openapi.headers import IDEMPOTENCY_KEY
from backend.app.openapi.problems import problem_name

Node = dict[str, Any]

OF_ALL = (500, 503, 504)
OF_BODIES = (400, 408, 413, 415, 422)
OF_KEYS = (400, 409, 422)


def operations(app: FastAPI, made: Node) -> Iterator[tuple[str, Node]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield method, made["paths"][route.path_format][method.lower()]


def complete(operation: Node) -> None:
    if operation["description"].rstrip(".") == operation["summary"]:
        del operation["description"]
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        _tidy_parameter(parameter)
    answers = operation["responses"]
    for status in _failures(operation, parameters):
        # A health check answers its 503 in its own words.
        if "content" not in answers.get(str(status), {}) or status == 422:
            answers[str(status)] = {"$ref": f"#/components/responses/{problem_name(status)}"}
    operation["responses"] = dict(sorted(answers.items()))
    for status, answer in answers.items():
        if "$ref" not in answer:
            _finish(int(status), answer, operation)


def _failures(operation: Node, parameters: list[Node]) -> set[int]:
    # FastAPI declares a 422 wherever there is anything to validate: here a bad id is a 400.
    answers = operation["responses"]
    answers.pop("422", None)
    found = {int(status) for status in answers if int(status) >= 400}
    if "health" not in operation["tags"]:
        found |= set(OF_ALL)
    if "requestBody" in operation:
        found |= set(OF_BODIES)
    if any(parameter["in"] == "path" or parameter["name"] == "cursor" for parameter in parameters):
        found.add(400)
    if any(parameter["in"] == "query" for parameter in parameters):
        found.add(422)
    if takes_key(operation):
        found |= set(OF_KEYS)
    return found


def takes_key(operation: Node) -> bool:
    return any(parameter["name"] == IDEMPOTENCY_KEY["name"] for parameter in operation.get("parameters", []))


def has_tag(operation: Node) -> bool:
    """Whether its answer has an entity tag."""
    return "health" not in operation["tags"] and not operation["operationId"].startswith(("export", "ingest"))


def _finish(status: int, answer: Node, operation: Node) -> None:
    """An answer that is not a problem: its headers, and its description where the route gives none."""
    if answer["description"] == "Successful Response":
        answer["description"] = HTTPStatus(status).phrase
    for content in answer.get("content", {}).values():
        content["schema"].pop("title", None)
    names = ["X-Request-ID"]
    if status == 503:
        names.append("Retry-After")
    elif status in (200, 201, 304) and has_tag(operation):
        names.append("ETag")
    if operation["operationId"].startswith("list"):
        names += ["Link", "X-Total-Count"]
    if status == 201:
        names.append("Location")
    if takes_key(operation):
        names.append("Idempotent-Replayed")
    answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _tidy_parameter(parameter: Node) -> None:
    """Say what it is once, and leave out the null that a parameter cannot be."""
    schema = parameter["schema"]
    schema.pop("title", None)
    parameter["description"] = schema.pop("description", parameter.get("description"))
    (given,) = [option for option in schema.pop("anyOf", [{}]) if option != {"type": "null"}]
    schema.update(given)
