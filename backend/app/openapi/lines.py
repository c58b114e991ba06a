"""Bodies and answers that are a document a line, of which OpenAPI knows no more than that they are text."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from backend.app.models.bulk import MOST_ITEMS
from backend.app.models.view import to_json
from backend.app.replies import Lines

Node = dict[str, Any]


def describe_lines(app: FastAPI, made: Node) -> None:
    """What the lines of an export are."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.response_class is Lines:
            name = route.response_model.__name__
            (example,) = made["components"]["schemas"][name]["examples"]
            (content,) = made["paths"][route.path_format]["get"]["responses"]["200"]["content"].values()
            content["schema"]["description"] = f"A {name} on each line, as JSON."
            content["example"] = to_json(example).decode() + "\n"


def describe_items(app: FastAPI, made: Node) -> None:
    """What a bulk call takes, an array or the same as lines, and what it answers."""
    schemas = made["components"]["schemas"]
    for route in app.routes:
        if isinstance(route, APIRoute) and route.operation_id and route.operation_id.startswith("ingest"):
            contents = made["paths"][route.path_format]["post"]["requestBody"]["content"]
            array = contents["application/json"]["schema"]
            del array["title"]
            array["maxItems"] = MOST_ITEMS
            name = array["items"]["$ref"].rpartition("/")[2]
            (example,) = schemas[name]["examples"]
            contents["application/x-ndjson"] = {
                "schema": {"type": "string", "description": f"A {name} on each line, as JSON."},
                "example": to_json(example).decode() + "\n",
            }
            # FastAPI leaves nulls out of examples, and here they are the point.
            answer = route.response_model
            schemas[answer.__name__]["examples"] = answer.model_json_schema()["examples"]
