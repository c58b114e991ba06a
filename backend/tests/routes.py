"""The app's routes as a client sees them, read off the app: a new one joins the tests that use this."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from fastapi.routing import APIRoute
from pydantic import BaseModel

from backend.app.config import Settings
from backend.app.main import create_app
from backend.app.models.base import EXAMPLE_IDS, Body, IdOf

Json = Any


@dataclass(frozen=True)
class Operation:
    """One method of one path, with an example of a request."""

    method: str
    route: APIRoute

    def __str__(self) -> str:
        return f"{self.method} {self.route.path}"

    @property
    def path(self) -> str:
        """With the ids that the examples have."""
        return self.route.path.format(**{name: EXAMPLE_IDS[noun] for name, noun in self.ids.items()})

    @property
    def ids(self) -> dict[str, str]:
        """Which id each parameter of the path is."""
        hints = get_type_hints(self.route.endpoint, include_extras=True)
        return {
            name: rule.noun
            for name in self.route.param_convertors
            for rule in getattr(hints[name], "__metadata__", ())
            if isinstance(rule, IdOf)
        }

    @property
    def model(self) -> type[Body] | None:
        """What its body must be, if it takes one."""
        kind = self.route.body_field and self.route.body_field.field_info.annotation
        return kind if isinstance(kind, type) and issubclass(kind, Body) else None

    @property
    def item(self) -> type[Body] | None:
        """What its body must be an array of, if it takes one."""
        kind = self.route.body_field and self.route.body_field.field_info.annotation
        return next(iter(get_args(kind)), None) if get_origin(kind) is list else None

    @property
    def schema(self) -> dict[str, Json]:
        assert self.model is not None
        return self.model.model_json_schema()

    @property
    def example(self) -> dict[str, Json]:
        example: dict[str, Json] = self.schema["examples"][0]
        return example

    @property
    def content(self) -> bytes | None:
        if self.item:
            return json.dumps([self.item.model_json_schema()["examples"][0]]).encode()
        return json.dumps(self.example).encode() if self.model else None


def operations() -> Iterator[Operation]:
    for route in create_app(Settings(_env_file=None)).routes:
        if isinstance(route, APIRoute):
            yield from (Operation(method, route) for method in sorted(route.methods or ()))


OPERATIONS = tuple(operations())
WITH_BODY = tuple(operation for operation in OPERATIONS if operation.model)


def noun_of(model: type[BaseModel]) -> str:
    """What an id of such a document is called."""
    return next(rule.noun for rule in model.model_fields["id"].metadata if isinstance(rule, IdOf))
