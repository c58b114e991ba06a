"""JSON that no model here takes: values of the wrong type, past a bound, or that look like an operator."""

from collections.abc import Iterator

from backend.tests.malformed import Json, Place

MARKER = "m4rker"
"""Stands in every value that is sent; an answer that holds it has echoed the input."""


NOT_OBJECTS: tuple[Json, ...] = (None, True, False, 0, 1.5, "", MARKER, [], [None], [{}], [[]])

OPERATORS: tuple[Json, ...] = (
    {"$gt": ""},
    {"$ne": None},
    {"$in": [MARKER]},
    {"$regex": MARKER},
    {"$where": f"sleep(10) || '{MARKER}'"},
    {"$expr": {"$function": {"body": MARKER, "args": [], "lang": "js"}}},
    {"$oid": "5" * 24},
    {"$date": "2026-01-01T00:00:00Z"},
    {"$numberLong": "1"},
    {"$literal": MARKER},
    {"$unset": ""},
    [{"$gt": ""}],
    {"": {"$gt": ""}},
)

BAD_KEYS = (
    "",
    "$",
    "$where",
    "$gt",
    "$set",
    "$$ROOT",
    "$ref",
    "a.b",
    ".",
    "a.",
    ".a",
    "$.a",
    "\0",
    "a\0",
    "\0a",
    "a\0$b",
)
FINE_KEYS = (
    "a",
    "__proto__",
    "constructor",
    "_id",
    "a$",
    "a$b",
    " ",
    "é",
    "\U0001f600",
    "\u202e",
    "0",
    "a b",
    "a/b",
    "~",
    "\n",
    '"',
)

BEYOND_64_BITS = (2**63, -(2**63) - 1, 2**64, 10**30, 10**400, -(10**400))
OVERLONG = (
    b"1e400",
    b"-1e400",
    b"1e99999",
    b"1e999999999999999999999",
    b"9" * 400,
    b"-" + b"9" * 5000,
    b"9" * 5000,
)
"""JSON by its grammar, and numbers that nothing here can hold."""


def objects_to_refuse() -> Iterator[Json]:
    """Where a free-form object may stand."""
    for bad in ({key: MARKER} for key in BAD_KEYS):
        yield from (bad, {"a": bad}, {"a": [bad]}, {"a": [[bad]]}, {"a": {"b": bad}})
    for number in BEYOND_64_BITS:
        yield from ({"a": number}, {"a": [number]}, {"a": {"b": number}})
    yield nested(33)
    yield nested(33, in_lists=True)
    yield {"a": MARKER * (64 * 1024 // len(MARKER) + 1)}
    yield {f"{MARKER}{number}": number for number in range(8000)}


def objects_to_take() -> Iterator[Json]:
    yield {key: {"inside": key} for key in FINE_KEYS}
    yield nested(32)
    yield {"a": 2**63 - 1, "b": -(2**63), "c": 1.5, "d": -0.0, "e": 5e-324, "f": 1.7976931348623157e308}
    yield {"a": [None, True, False, "", [], {}, [[]]]}
    yield {"a": "$where", "b": "a.b", "c": "\0", "d": "$$ROOT", "e": "\uffff"}
    yield {"a": "x" * 60_000}


def nested(depth: int, *, in_lists: bool = False) -> Json:
    """An object that is so deep, counting itself."""
    inner: Json = [] if in_lists else {}
    for _ in range(depth - 2):
        inner = [inner] if in_lists else {"a": inner}
    return {"a": inner}


OF_TYPE: dict[str, tuple[Json, ...]] = {
    "null": (None,),
    "boolean": (True, False),
    "integer": (0, -1, 1),
    "number": (0.5, -1.5, 1e300),
    "string": (MARKER, "", "0", "1", "true", "null", "\0", "x" * 100_000),
    "array": ([], [None], [[]], [MARKER, 1], [{}]),
    "object": ({}, {MARKER: 1}, {"a": {"b": []}}),
}
TAKEN_AS = {"number": {"number", "integer"}}


def refused_values(schema: dict[str, Json], definitions: dict[str, Json]) -> Iterator[Json]:
    """Values that a field's JSON Schema does not allow: of every other type, and past each of its bounds."""
    choices = [resolved(choice, definitions) for choice in schema.get("anyOf", [schema])]
    allowed = {kind for choice in choices for kind in TAKEN_AS.get(choice["type"], {choice["type"]})}
    for kind, values in OF_TYPE.items():
        if kind not in allowed:
            yield from values
    yield from OPERATORS
    for choice in choices:
        yield from _past_the_bounds(choice, definitions)


def _past_the_bounds(schema: dict[str, Json], definitions: dict[str, Json]) -> Iterator[Json]:
    if "minimum" in schema:
        yield from (schema["minimum"] - 1, schema["minimum"] - 10**400, -(2**63) - 1)
    if "maximum" in schema:
        yield from (schema["maximum"] + 1, 2**64, 10**400)
    if {"pattern", "format", "enum"} & set(schema):
        yield from (MARKER, "", "\0", " ", "x" * 100_000)
    if schema.get("minLength"):
        yield "x" * (schema["minLength"] - 1)
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if "maxItems" in schema:
        yield [0.5] * (schema["maxItems"] + 1)
    if "items" in schema:
        yield from ([value] for value in refused_values(schema["items"], definitions))
    if schema.get("additionalProperties") is True:
        yield from objects_to_refuse()


def fields(schema: dict[str, Json], definitions: dict[str, Json]) -> Iterator[tuple[Place, dict[str, Json]]]:
    """Each field of a body's JSON Schema, those of embedded objects too."""
    for name, about in schema.get("properties", {}).items():
        yield (name,), about
        for choice in about.get("anyOf", [about]):
            inside = fields(resolved(choice, definitions), definitions)
            yield from (((name, *rest), inner) for rest, inner in inside)


def resolved(schema: dict[str, Json], definitions: dict[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found
