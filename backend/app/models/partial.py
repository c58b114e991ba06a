"""The body of an update, made from the body of a create: every field optional, nothing typed twice."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from backend.app.models.base import Body, Document

B = TypeVar("B", bound=Body)


def partial(*, nested: bool) -> Callable[[type[B]], type[B]]:
    """Rebuild a class so that each inherited field may be left out.

    An optional field may also be null, which takes it away; a required one may not. With `nested`, embedded
    objects become partial too, as a merge patch needs; without it they stay whole, as a replacement needs.
    Rules that span several fields are left out on purpose: they hold for the document that results.
    """

    def rebuild(cls: type[B]) -> type[B]:
        made = _rebuilt(cls, cls.__name__, nested)
        made.whole, made.merges = cls.__mro__[1], nested
        return made

    return rebuild


def _rebuilt(cls: type[B], name: str, nested: bool) -> type[B]:
    class Base(Body):
        model_config = cls.model_config

    fields: dict[str, Any] = {field: _optional(info, nested) for field, info in cls.model_fields.items()}
    made = create_model(name, __base__=Base, __module__=cls.__module__, __doc__=cls.__doc__, **fields)
    # What mypy should see is the class as written: the fields are the same, only optional.
    return cast("type[B]", made)


def _optional(info: FieldInfo, nested: bool) -> tuple[Any, Any]:
    annotation: Any = info.annotation
    inner = embedded(info)
    if nested and inner:
        annotation = _rebuilt(inner, f"{inner.__name__}Patch", nested)
    for rule in info.metadata:
        annotation = Annotated[annotation, rule]
    if not info.is_required():
        annotation = annotation | None
    # A factory, unlike a default, does not show in the OpenAPI document as a value the field would take.
    return annotation, Field(
        default_factory=lambda: None, description=info.description, examples=info.examples
    )


def embedded(info: FieldInfo) -> type[Body] | None:
    """The class of the object that a field holds, if it holds one of ours."""
    for candidate in (info.annotation, *get_args(info.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Body):
            return candidate
    return None


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: objects merge, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result: Document = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
