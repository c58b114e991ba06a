"""The schemas under the names that a person would give them, with examples that hold together."""

from typing import Any

Node = dict[str, Any]


def tidy_schemas(schemas: dict[str, Node]) -> None:
    """Titles are what generators name classes by, so each is said once, and none for a mere property."""
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, schema in schemas.items():
        schema["title"] = name
        for about in schema.get("properties", {}).values():
            about.pop("title", None)
        # Of a document, not of what became of one, which may have none.
        if "pattern" in schema.get("properties", {}).get("id", {}):
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
