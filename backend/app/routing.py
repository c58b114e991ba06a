"""How a request becomes the arguments of a route's function, and its answer the response."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any, get_args, get_origin

from fastapi import Request, params
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from backend.app.bodies import read
from backend.app.config import Settings
from backend.app.db.mongo import deadline
from backend.app.errors import MOST_FAULTS, Invalid, invalid
from backend.app.idempotency import answered_once, idempotency_key
from backend.app.models.faults import pointer, suggestion
from backend.app.syntax import parse

Supply = Callable[[Request], Any]

# The words that stand where an id does are paths of their own, whatever the method.
AN_ID = r"(?!(?:bulk|export|facets)/?\Z)[^/]+"
# What is left of a request's time for the answer itself, when the database has used up the rest.
FOR_THE_ANSWER = 0.1


class Route(APIRoute):
    """A FastAPI route to the OpenAPI document; to a request, a direct call of its function.

    FastAPI's own way from a request to the function costs more than the query does, for features that no
    route here has; see docs/decisions. Both slash forms answer, the body is strict JSON, and a parameter
    that does not exist is refused.
    """

    answers_once = True
    """Whether a POST under an Idempotency-Key is one transaction; else its function sees to the key."""

    @staticmethod
    def seconds(settings: Settings, /) -> float | None:
        """How long a request may take."""
        return settings.request_deadline

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[Response]], **options: Any) -> None:
        summary, _, rest = (endpoint.__doc__ or "").strip().partition("\n")
        options["summary"] = summary.rstrip(".")
        options["description"] = inspect.cleandoc(rest) or summary
        options["operation_id"] = operation_id(endpoint.__name__)
        super().__init__(path, endpoint, **options)
        pattern = self.path_regex.pattern.removesuffix("$").rstrip("/").replace("[^/]+", AN_ID)
        self.path_regex = re.compile(pattern + r"/?\Z")
        takes_key = self.answers_once and self.methods == {"POST"}
        self.app = application(endpoint, set(self.param_convertors), self.seconds, takes_key=takes_key)


class LongRoute(Route):
    """A route that works step by step, each within a deadline of its own: bulk calls and exports."""

    answers_once = False

    @staticmethod
    def seconds(_: Settings, /) -> None:
        return None


def operation_id(name: str) -> str:
    """`create_user` as `createUser`: what a generated client calls its method."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def application(
    endpoint: Callable[..., Awaitable[Response]],
    path_names: set[str],
    seconds: Callable[[Settings], float | None],
    *,
    takes_key: bool,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The route as an ASGI app: each parameter of its function has one supplier, found once."""
    parameters = inspect.signature(endpoint).parameters.values()
    queries = {name for parameter in parameters for name in query_names(parameter)}
    lists = {name for parameter in parameters for name in names_of_lists(parameter)}
    supplies: list[tuple[str, Supply]] = []
    bodies: list[tuple[str, type[BaseModel]]] = []
    for parameter in parameters:
        if supply := supplier(parameter, path_names):
            supplies.append((parameter.name, supply))
        else:
            bodies.append((parameter.name, parameter.annotation))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if scope["query_string"]:
            check_names(request.query_params, queries)
            check_once(request.query_params, lists)
        key = idempotency_key(request) if takes_key else None
        values = {name: supply(request) for name, supply in supplies}
        limit = seconds(request.app.state.settings)
        with nullcontext() if limit is None else deadline(limit * (1 - FOR_THE_ANSWER)):
            raw: bytes | bytearray = b""
            for name, model in bodies:
                raw = await body(request)
                values[name] = fitting(raw, model)
            if key is None:
                response = await endpoint(**values)
            else:
                response = await answered_once(request, key, raw, partial(endpoint, **values))
        await response(scope, receive, send)

    return app


def supplier(parameter: inspect.Parameter, path_names: set[str]) -> Supply | None:
    """Where a parameter comes from, unless it is the body."""
    name, hint, default = parameter.name, parameter.annotation, parameter.default
    mark = mark_of(parameter)
    if hint is Request:
        return lambda request: request
    if isinstance(mark, params.Depends):
        return mark.dependency
    if isinstance(mark, params.Body):
        # Declared for the reader of the OpenAPI document; the function reads it by itself, bit by bit.
        return lambda _: []
    if isinstance(mark, params.Header):
        alias = name.replace("_", "-")
        return lambda request: request.headers.get(alias, default)
    if isinstance(mark, params.Query):
        adapter = TypeAdapter[Any](hint)
        if default is inspect.Parameter.empty:
            lists = names_of_lists(parameter)
            return lambda request: checked(adapter, sent(request.query_params, lists), "query")
        return lambda request: checked(adapter, request.query_params.get(name, default), "query", name)
    if name in path_names:
        adapter = TypeAdapter[Any](hint)
        return lambda request: checked(adapter, request.path_params[name], "path", name)
    return None


def mark_of(parameter: inspect.Parameter) -> object:
    marks = get_args(parameter.annotation)[1:] if get_origin(parameter.annotation) is Annotated else ()
    kinds = (params.Body, params.Depends, params.Header, params.Query)
    return next((mark for mark in marks if isinstance(mark, kinds)), None)


def query_names(parameter: inspect.Parameter) -> Iterable[str]:
    if not isinstance(mark_of(parameter), params.Query):
        return ()
    kind = get_args(parameter.annotation)[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields
    return (parameter.name,)


def names_of_lists(parameter: inspect.Parameter) -> frozenset[str]:
    """The parameters that may be repeated."""
    kind = get_args(parameter.annotation)[0] if isinstance(mark_of(parameter), params.Query) else None
    fields: dict[str, FieldInfo] = getattr(kind, "model_fields", {})
    return frozenset(name for name, field in fields.items() if get_origin(field.annotation) is list)


def sent(parameters: QueryParams, lists: frozenset[str]) -> dict[str, Any]:
    return {name: parameters.getlist(name) if name in lists else parameters[name] for name in parameters}


def check_names(sent: Iterable[str], known: set[str]) -> None:
    unknown = [name for name in sent if name not in known]
    if unknown:
        faults = [
            {
                "pointer": pointer(("query", name)),
                "detail": "There is no such parameter" + suggestion(name, known),
                "code": "unknown_parameter",
            }
            for name in unknown[:MOST_FAULTS]
        ]
        raise Invalid("The request has a parameter that does not exist", faults=faults)


def check_once(sent: QueryParams, lists: set[str]) -> None:
    """Of two values for what takes one, neither is left out in silence."""
    if len(sent.multi_items()) == len(sent):
        return
    twice = [name for name in sent if name not in lists and len(sent.getlist(name)) > 1]
    if twice:
        faults = [
            {
                "pointer": pointer(("query", name)),
                "detail": "It takes one value only",
                "code": "repeated_parameter",
            }
            for name in twice
        ]
        raise Invalid("The request has a parameter more than once", faults=faults)


def checked(adapter: TypeAdapter[Any], value: object, *place: str) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise invalid(error.errors(), prefix=place) from None


async def body(request: Request) -> bytearray:
    settings = request.app.state.settings
    return await read(request, settings.max_body_bytes, settings.request_deadline)


def fitting(raw: bytes | bytearray, model: type[BaseModel]) -> BaseModel:
    value = parse(raw)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error.errors()) from None
