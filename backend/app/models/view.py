"""How a stored document looks to a client: its fields, its JSON, its entity tag."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType

import orjson
from pydantic import BaseModel

from backend.app.models.base import REVISION, SEAL, Document
from backend.app.models.partial import embedded
from backend.app.models.searchable import SEARCH

# What the service notes in a document for itself.
PRIVATE = (REVISION, SEAL, SEARCH)

View = Callable[[Document], Document]

NOTHING: Mapping[str, str] = MappingProxyType({})

# Motor hands out times without a zone, which are UTC; ids are the only other foreign type.
JSON_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def view_of(model: type[BaseModel]) -> View:
    """Compile a model into the function that picks its fields out of a document, straight from the driver.

    Only what the model names gets out, so a hash or a stray field never does, and what a document lacks is
    shown as the model's default: no second validation, which costs more than the query for a page.
    """
    # The id leads, as a reader expects; a stable sort keeps the others as the model declares them.
    fields = dict(sorted(model.model_fields.items(), key=lambda field: field[0] != "id"))
    inner = {name: view_of(kind) for name, info in fields.items() if (kind := embedded(info))}
    absent: Document = {}
    for name, info in fields.items():
        default = None if info.is_required() or info.default_factory else info.default
        absent[name] = inner[name]({}) if isinstance(default, BaseModel) else default
    size, names = len(absent), absent.keys()

    def view(document: Document) -> Document:
        # Compared and merged whole, in C: picking field by field would be most of the cost of a page.
        if document.keys() == names and not inner:
            return document
        seen = {**absent, **document}
        if "_id" in seen:
            seen["id"] = seen.pop("_id")
            for name in PRIVATE:
                seen.pop(name, None)
        for name, inside in inner.items():
            if name in document:
                seen[name] = inside(document[name])
        return seen if len(seen) == size else {name: seen[name] for name in absent}

    return view


def to_json(value: object) -> bytes:
    return orjson.dumps(value, default=str, option=JSON_OPTIONS)


def entity_tag(content: bytes, beside: Mapping[str, str] = NOTHING) -> str:
    """Strong: equal only for equal bytes, and equal headers beside them."""
    digest = sha256(content)
    for name, value in beside.items():
        digest.update(f"\n{name}: {value}".encode())
    return f'"{digest.hexdigest()[:24]}"'
