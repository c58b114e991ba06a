"""The document as a whole."""

from copy import deepcopy
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from backend.app.errors import Problem
from backend.app.openapi.headers import HEADERS, IDEMPOTENCY_KEY, IF_NONE_MATCH
from backend.app.openapi.lines import describe_items, describe_lines
from backend.app.openapi.operations import complete, has_tag, operations
from backend.app.openapi.problems import PROBLEMS, problem, problem_name
from backend.app.openapi.schemas import renamed, tidy_schemas

Node = dict[str, Any]

ABOUT: Node = {
    "title": "AI Job Hunt API",
    "version": "1.0.0",
    "summary": "Users, job postings, scored matches, saved searches, interactions and stats.",
    "description": (
        "Ids are 24 hexadecimal digits, times are RFC 3339 in UTC, and every failure is an RFC 9457 "
        "problem document with a `request_id`. Lists are JSON arrays; a `Link` header leads to the next "
        "page. What is read has an `ETag` for `If-None-Match`, and one document's is for `If-Match` too.\n\n"
        "Fill a database with `aijobhunt demo`, and every example on this page works as it stands."
    ),
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "servers": [{"url": "/", "description": "Here"}],
    "openapi_tags": [
        {"name": "users", "description": "People who look for a job, and their preferences."},
        {"name": "stats", "description": "How much a user has done, and what there is in all."},
        {"name": "jobs", "description": "Postings, ingested from outside."},
        {"name": "job-matches", "description": "How well a posting suits a user."},
        {"name": "saved-searches", "description": "Searches to come back to."},
        {"name": "interactions", "description": "What a user did with a posting."},
        {
            "name": "ingest-runs",
            "description": "Crawls of one source: what they brought, and what they closed.",
        },
        {"name": "health", "description": "Whether the service and its database are up."},
    ],
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
        components["responses"] = {problem_name(status): problem(status) for status in PROBLEMS}
        for method, operation in operations(app, made):
            if method == "POST":
                operation.setdefault("parameters", []).append(deepcopy(IDEMPOTENCY_KEY))
            if method == "GET" and has_tag(operation):
                _revalidated(operation)
            complete(operation)
            if method in ("PATCH", "PUT"):
                _of(operation["requestBody"], components)["minProperties"] = 1
        # Said outright, since nothing said could as well be something forgotten: nobody has to log in.
        made["security"] = []
        app.openapi_schema = renamed(made)
        tidy_schemas(app.openapi_schema["components"]["schemas"])
        describe_lines(app, app.openapi_schema)
        describe_items(app, app.openapi_schema)
    return app.openapi_schema


def _revalidated(operation: Node) -> None:
    parameters = operation.setdefault("parameters", [])
    if all(parameter["name"] != IF_NONE_MATCH["name"] for parameter in parameters):
        parameters.append(deepcopy(IF_NONE_MATCH))
    operation["responses"].setdefault("304", {"description": HTTPStatus.NOT_MODIFIED.phrase})


def _of(body: Node, components: Node) -> Node:
    """The schema of a request body."""
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema: Node = components["schemas"][name]
    return schema
