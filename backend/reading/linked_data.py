"""JSON-LD: what a node is, and the values in it, each of which may be wrapped in several ways."""

from collections.abc import Iterator
from typing import Any

DEEPEST = 32


def nodes(node: Any, kind: str, depth: int = DEEPEST) -> Iterator[dict[str, Any]]:
    """Those of a kind, wherever they stand, but not inside one another."""
    if depth == 0:
        return
    if isinstance(node, list):
        for inside in node:
            yield from nodes(inside, kind, depth - 1)
    elif isinstance(node, dict):
        if kind.casefold() in types(node.get("@type")):
            yield node
            return
        for inside in node.values():
            if isinstance(inside, dict | list):
                yield from nodes(inside, kind, depth - 1)


def types(value: Any) -> set[str]:
    """`JobPosting`, `schema:JobPosting`, `https://schema.org/JobPosting`: the same."""
    values = value if isinstance(value, list) else [value]
    return {
        one.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1].casefold()
        for one in values
        if isinstance(one, str)
    }


def first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """The value itself, of one wrapped in a list or in `@value`."""
    value = first(value)
    value = value.get("@value", value) if isinstance(value, dict) else value
    return None if value == "" else value


def named(value: Any) -> Any:
    """The name, of one who may be named outright."""
    value = first(value)
    return plain(value.get("name") or value.get("legalName")) if isinstance(value, dict) else plain(value)
