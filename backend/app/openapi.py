"""The OpenAPI document: what FastAPI derives from the routes, and what holds for every operation."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from backend.app.errors import (
    MEDIA_TYPE,
    Failure,
    Internal,
    Invalid,
    InvalidId,
    KeyTaken,
    NotFound,
    Overdue,
    Problem,
    SlowBody,
    Stale,
    TooLarge,
    Unavailable,
    UnsupportedBody,
    from_failure,
)

Node = dict[str, Any]

ABOUT: Node = {
    "title": "AI Job Hunt API",
    "version": "1.0.0",
    "summary": "Users, job postings, scored matches, saved searches, interactions and stats.",
    "description": (
        "Ids are 24 hexadecimal digits, times are RFC 3339 in UTC, and every failure is an RFC 9457 "
        "problem document with a `request_id`. Lists are JSON arrays; a `Link` header leads to the next "
        "page. One document answers an `ETag`, which `If-Match` and `If-None-Match` take.\n\n"
        "Fill a database with `aijobhunt demo`, and every example on this page works as it stands."
    ),
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "servers": [{"url": "/", "description": "Here"}],
    "openapi_tags": [
        {"name": "users", "description": "People who look for a job, and their preferences."},
        {"name": "stats", "description": "How much a user has done."},
        {"name": "jobs", "description": "Postings, ingested from outside."},
        {"name": "job-matches", "description": "How well a posting suits a user."},
        {"name": "saved-searches", "description": "Searches to come back to."},
        {"name": "interactions", "description": "What a user did with a posting."},
        {"name": "health", "description": "Whether the service and its database are up."},
    ],
}

REQUEST_ID = "5f0c8f3e9d0b4b6f"

# What each status means, and a failure to show as its example.
PROBLEMS: dict[int, tuple[str, Failure]] = {
    400: (
        "The request is malformed: its JSON, an id, a cursor; or an update names no field",
        InvalidId("Invalid user ID"),
    ),
    404: ("There is no such document, or no parent for it", NotFound("User not found")),
    408: ("The body came too slowly", SlowBody("The body did not arrive within 5 s")),
    409: ("The unique key is taken", KeyTaken("User with this email already exists")),
    412: ("The document has changed since the entity tag was given out", Stale()),
    413: ("The body is too large", TooLarge("The body is larger than 1048576 bytes")),
    415: (
        "The body is not plain JSON",
        UnsupportedBody("Send JSON, with Content-Type: application/json"),
    ),
    422: (
        "The input is invalid; one entry in `errors` per fault",
        Invalid(
            "The request has 1 fault",
            faults=[
                {"pointer": "/preferences/skill", "detail": "No such field", "code": "unknown_field"},
            ],
        ),
    ),
    500: ("A fault of the service", Internal()),
    503: (
        "The database is away; try again after `Retry-After` seconds",
        Unavailable("The database cannot be reached"),
    ),
    504: ("The database took too long", Overdue()),
}
OF_ALL = (500, 503, 504)
OF_BODIES = (400, 408, 413, 415, 422)

HEADERS: dict[str, Node] = {
    "ETag": {
        "description": "The entity tag of the document: changes whenever the document does.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]+"$', "examples": ['"9f86d081884c7d659a2feaa0"']},
    },
    "Location": {
        "description": "Where the new document is.",
        "required": True,
        "schema": {
            "type": "string",
            "format": "uri-reference",
            "examples": ["/users/665f00000000000000000001"],
        },
    },
    "Link": {
        "description": 'Where the next page is, with `rel="next"`; absent on the last page.',
        "schema": {"type": "string", "examples": ['</jobs/?limit=50&cursor=c2Vl>; rel="next"']},
    },
    "X-Total-Count": {
        "description": "How many there are in all, if `count=true` was asked for.",
        "schema": {"type": "integer", "minimum": 0, "examples": [1234]},
    },
    "X-Request-ID": {
        "description": "The id of the request: the one sent, or one made here.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "examples": [REQUEST_ID]},
    },
    "Retry-After": {
        "description": "Seconds to wait before another try.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
    },
}


def document(app: FastAPI) -> Node:
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            license_info=app.license_info,
            servers=app.servers,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        components = made["components"]
        _, problems = models_json_schema(
            [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
        )
        components["schemas"].update(problems["$defs"])
        components["headers"] = HEADERS
        components["responses"] = {_problem_name(status): _problem(status) for status in PROBLEMS}
        for method, operation in operations(app, made):
            _complete(operation)
            if method in ("PATCH", "PUT"):
                _of(operation["requestBody"], components)["minProperties"] = 1
        # Said outright, since nothing said could as well be something forgotten: nobody has to log in.
        made["security"] = []
        app.openapi_schema = renamed(made)
        tidy_schemas(app.openapi_schema["components"]["schemas"])
    return app.openapi_schema


def operations(app: FastAPI, made: Node) -> Iterator[tuple[str, Node]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield method, made["paths"][route.path_format][method.lower()]


def _complete(operation: Node) -> None:
    """Declare what any operation of its kind takes and answers, so that no router has to."""
    if operation["description"].rstrip(".") == operation["summary"]:
        del operation["description"]
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        _tidy_parameter(parameter)
    answers = operation["responses"]
    for status in _failures(operation, parameters):
        # A health check answers its 503 in its own words.
        if "content" not in answers.get(str(status), {}) or status == 422:
            answers[str(status)] = {"$ref": f"#/components/responses/{_problem_name(status)}"}
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
    return found


def _finish(status: int, answer: Node, operation: Node) -> None:
    """An answer that is not a problem: its headers, and its description where the route gives none."""
    if answer["description"] == "Successful Response":
        answer["description"] = HTTPStatus(status).phrase
    for content in answer.get("content", {}).values():
        content["schema"].pop("title", None)
    names = ["X-Request-ID"]
    if status == 503:
        names.append("Retry-After")
    elif operation["operationId"].startswith("list"):
        names += ["Link", "X-Total-Count"]
    elif status in (200, 201, 304) and "health" not in operation["tags"]:
        names.append("ETag")
    if status == 201:
        names.append("Location")
    answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _tidy_parameter(parameter: Node) -> None:
    """Say what it is once, and leave out the null that a parameter cannot be."""
    schema = parameter["schema"]
    schema.pop("title", None)
    parameter["description"] = schema.pop("description", parameter.get("description"))
    (given,) = [option for option in schema.pop("anyOf", [{}]) if option != {"type": "null"}]
    schema.update(given)


def _problem(status: int) -> Node:
    description, failure = PROBLEMS[status]
    example = {**json.loads(bytes(from_failure(failure).body)), "request_id": REQUEST_ID}
    names = ["X-Request-ID", "Retry-After"] if status == 503 else ["X-Request-ID"]
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _of(body: Node, components: Node) -> Node:
    """The schema of a request body."""
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema: Node = components["schemas"][name]
    return schema


def tidy_schemas(schemas: dict[str, Node]) -> None:
    """Titles are what generators name classes by, so each is said once, and none for a mere property."""
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, schema in schemas.items():
        schema["title"] = name
        for about in schema.get("properties", {}).values():
            about.pop("title", None)
        if "id" in schema.get("required", ()):
            schema["examples"] = [_stored_example(schema)]


def _stored_example(schema: Node) -> Node:
    """The example of what was sent, with what the server adds to it."""
    (sent,) = schema.get("examples", [{}])
    example = {"id": None}
    for name, about in schema["properties"].items():
        optional = {"type": "null"} in about.get("anyOf", ())
        added = None if optional else about.get("default", *about.get("examples", [None]))
        example[name] = sent.get(name, added)
    return example


def renamed(made: Any) -> Any:
    """`SalaryRange-Input` and `-Output` under the names that a person would give their classes."""
    if isinstance(made, dict):
        return {_name(key): renamed(value) for key, value in made.items()}
    if isinstance(made, list):
        return [renamed(item) for item in made]
    if isinstance(made, str) and made.startswith("#/components/schemas/"):
        return _name(made)
    return made


def _name(name: str) -> str:
    return name.replace("-Input", "In").replace("-Output", "")
