"""What a reader of the OpenAPI document can count on, for every operation there is and will be."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute

from backend.app.config import Settings
from backend.app.main import create_app

Node = dict[str, Any]

APP = create_app(Settings(_env_file=None))
DOCUMENT: Node = APP.openapi()
OPERATIONS: dict[str, Node] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
SCHEMAS: Node = DOCUMENT["components"]["schemas"]
PROBLEM = {"$ref": "#/components/schemas/Problem"}

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
each_schema = pytest.mark.parametrize("name", SCHEMAS)


def resolved(node: Node) -> Node:
    while "$ref" in node:
        found: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def answers(operation: Node) -> Iterator[tuple[int, Node]]:
    for status, answer in operation["responses"].items():
        yield int(status), resolved(answer)


def contents(operation: Node) -> Iterator[Node]:
    """What is sent and answered, one for each media type."""
    for part in (operation.get("requestBody", {}), *(answer for _, answer in answers(operation))):
        yield from part.get("content", {}).values()


def examples(content: Node) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    schema = resolved(content["schema"])
    if schema.get("type") == "array":
        return [resolved(schema["items"])["examples"]]
    found: list[Any] = schema.get("examples", [])
    return found


def faults(value: object, schema: Node) -> list[str]:
    validator = jsonschema_rs.Draft202012Validator(
        {**schema, "components": DOCUMENT["components"]}, validate_formats=True
    )
    return [error.message for error in validator.iter_errors(value)]


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_route_is_in_it_once() -> None:
    routes = [route for route in APP.routes if isinstance(route, APIRoute)]

    assert sum(len(route.methods or ()) for route in routes) == len(OPERATIONS)


def test_operation_ids_are_clean_and_differ() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]

    verbs = "create|list|get|patch|put|delete|ingest|export|complete|abort|recalculate|mark"
    assert all(re.fullmatch(f"({verbs})[A-Z][A-Za-z]+", name) for name in ids)
    assert len(set(ids)) == len(ids)


@each_operation
def test_it_says_what_it_does(operation: Node) -> None:
    assert re.fullmatch(r"[A-Z].*[^.]", operation["summary"])
    assert operation["tags"]
    assert all(parameter["description"] for parameter in operation.get("parameters", []))


@each_operation
def test_a_parameter_is_never_null(operation: Node) -> None:
    for parameter in operation.get("parameters", []):
        assert "anyOf" not in parameter["schema"], parameter["name"]


@each_operation
def test_it_has_an_example_of_all_that_is_sent_and_answered(operation: Node) -> None:
    for content in contents(operation):
        assert examples(content)
        for example in examples(content):
            assert faults(example, content["schema"]) == []
    for parameter in operation.get("parameters", []):
        if parameter["required"]:
            (example,) = parameter["schema"]["examples"]
            assert faults(example, parameter["schema"]) == []


@each_operation
def test_every_failure_is_the_one_kind_of_problem(operation: Node) -> None:
    for status, answer in answers(operation):
        if status >= 400 and "health" not in operation["tags"]:
            (media_type, content), *others = answer["content"].items()
            assert (media_type, content["schema"], others) == ("application/problem+json", PROBLEM, [])
            assert content["example"]["status"] == status


@each_operation
def test_it_declares_every_status_of_its_kind(operation: Node) -> None:
    declared = {status for status, _ in answers(operation)}
    verb = re.split("[A-Z]", operation["operationId"])[0]
    names_one = any(parameter["in"] == "path" for parameter in operation.get("parameters", []))
    expected = {
        "create": {201},
        "list": {200, 304, 400, 422},
        "get": {200, 304, 400, 404} if names_one else {200, 304},
        "patch": {200, 404, 412},
        "put": {200, 404, 412},
        "delete": {204, 400, 404, 412},
        "ingest": {200, 207, 400, 409, 413, 422},
        "export": {200, 400, 422},
        "complete": {200, 400, 404, 409, 422},
        "abort": {200, 400, 404, 409},
        "recalculate": {200, 400, 404, 409, 422},
        "mark": {200, 400, 404, 409, 422},
    }
    if "health" in operation["tags"]:
        assert declared <= {200, 503}
    else:
        assert declared >= expected[verb] | {500, 503, 504}
    if "requestBody" in operation:
        assert declared >= {400, 408, 413, 415, 422}


@each_operation
def test_it_declares_its_headers(operation: Node) -> None:
    for status, answer in answers(operation):
        headers = set(answer["headers"])
        assert "X-Request-ID" in headers
        assert ("Retry-After" in headers) == (status in (409, 503))
        assert ("Location" in headers) == (status == 201)
        if status in (200, 201, 304) and "health" not in operation["tags"]:
            many = operation["operationId"].startswith(("export", "ingest"))
            assert ("ETag" in headers) != many
            assert ("Link" in headers) == operation["operationId"].startswith("list")


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name.startswith("POST")])
def test_a_post_takes_an_idempotency_key_and_says_what_may_come_of_it(name: str) -> None:
    operation = OPERATIONS[name]
    (key,) = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]

    assert not key["required"]
    assert [faults(sent, key["schema"]) == [] for sent in ("k", "k" * 255, "", "k" * 256, "a b", "é")] == [
        *[True] * 2,
        *[False] * 4,
    ]
    assert {status for status, _ in answers(operation)} >= {400, 409, 422}
    for status, answer in answers(operation):
        assert ("Idempotent-Replayed" in answer["headers"]) == (status < 300)


def test_nothing_but_a_post_takes_an_idempotency_key() -> None:
    for name, operation in OPERATIONS.items():
        if not name.startswith("POST"):
            assert "Idempotency-Key" not in [one["name"] for one in operation.get("parameters", [])]


def test_every_header_has_an_example_that_fits() -> None:
    for name, header in DOCUMENT["components"]["headers"].items():
        (example,) = header["schema"]["examples"]
        assert faults(example, header["schema"]) == [], name


@each_schema
def test_a_schema_is_called_what_it_is(name: str) -> None:
    assert SCHEMAS[name]["title"] == name


@each_schema
def test_its_examples_fit(name: str) -> None:
    schema = SCHEMAS[name]

    assert [faults(example, schema) for example in schema.get("examples", [])] == [
        [] for _ in schema.get("examples", [])
    ]


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name.endswith(("Patch", "Put"))])
def test_an_update_requires_nothing_of_what_it_takes(name: str) -> None:
    assert "required" not in SCHEMAS[name]


@pytest.mark.parametrize("operation", [key for key in OPERATIONS if key.startswith(("PATCH", "PUT"))])
def test_an_update_of_nothing_does_not_fit(operation: str) -> None:
    (content,) = OPERATIONS[operation]["requestBody"]["content"].values()

    assert faults({}, content["schema"])
