"""What a bulk call of each kind takes: the shape of an item, what it is known by, what it may leave out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

from bson import ObjectId
from pydantic import TypeAdapter, ValidationError

from backend.app.db.collection import same
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, USERS, Spec
from backend.app.errors import MalformedBody
from backend.app.models.base import HEX_ID, Body, Document, now
from backend.app.models.bulk import PARENT_NAMES, InteractionItem, MatchItem
from backend.app.models.faults import faults_of
from backend.app.models.interactions import InteractionFields
from backend.app.models.job_matches import MatchFields, snapshot
from backend.app.models.jobs import JobIn
from backend.app.models.partial import merged
from backend.app.models.users import Email
from backend.app.syntax import closely

LONGEST_KEY = 255
ADDRESS = TypeAdapter[str](Email)

Key = tuple[Any, ...]
Parents = Mapping[str, Document]
Reference = tuple[str, Any]
"""What a parent is looked up by: one of its fields, and the value."""


class Unfit(Exception):
    """Why an item cannot be stored."""

    def __init__(self, *faults: Mapping[str, str]) -> None:
        super().__init__()
        self.faults = faults


class Filled(NamedTuple):
    """The fields of an item, and which of them the server filled in: those are no change by themselves."""

    fields: Document
    by_server: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Intake:
    spec: Spec
    item: type[Body]
    """What is sent."""
    stored: type[Body]
    """What is stored of it, besides its parents."""
    stays: frozenset[str] = frozenset()
    """What was filled in once stays when an item leaves it out again, whatever else it changes."""

    @property
    def key(self) -> tuple[str, ...]:
        return self.spec.unique[0]

    def references(self, sent: Document) -> dict[str, Reference] | None:
        """What the parents are named by; nothing, if one is not named as it should be."""
        found: dict[str, Reference] = {}
        for name, parent in self.spec.belongs_to.items():
            other = PARENT_NAMES[name]
            by_id, by_other = sent.get(name), sent.get(other)
            if by_other is None and isinstance(by_id, str) and HEX_ID.fullmatch(by_id):
                found[name] = "_id", ObjectId(by_id)
            elif by_id is None and isinstance(by_other, str):
                found[name] = parent.unique[0][0], _as_stored(other, by_other)
            else:
                return None
        return found

    def key_of(self, sent: Document, parents: Parents) -> Key | None:
        """The key, if each part of it is there and could be one."""
        parts: list[Any] = []
        for name, closed in self._parts:
            part = parents[name]["_id"] if name in parents else sent.get(name)
            if isinstance(part, str):
                if part not in closed if closed else len(part) > LONGEST_KEY:
                    return None
            elif not isinstance(part, ObjectId):
                return None
            parts.append(part)
        return tuple(parts)

    def shown_of(self, parent: Spec) -> tuple[str, ...]:
        """What of a parent goes into a child, besides its id."""
        return ("preferences", "credentials") if parent is USERS and self._has_snapshot else ()

    def validated(self, sent: Document, raw: bytes) -> Body:
        return validated(self.item, self._exactly(sent, raw))

    def whole(self, sent: Document, raw: bytes, parents: Parents) -> Filled:
        """What an item makes of nothing, or in place of what stands."""
        return self._filled(self.validated(sent, raw), parents)

    def merged(self, sent: Document, raw: bytes, parents: Parents, standing: Document | None) -> Filled:
        """What an item, as a merge patch, makes of what stands."""
        sent = self._exactly(sent, raw)
        if standing is None:
            return self._filled(validated(self.item, merged({}, sent)), parents)
        before = {name: standing[name] for name in self._names if name in standing}
        patch = {name: value for name, value in sent.items() if name not in NAMES_OF_PARENTS}
        return Filled(validated(self.stored, merged(before, patch)).stored())

    def is_already(self, before: Document, filled: Filled) -> bool:
        names = [name for name in self._names if name not in filled.by_server]
        one = {name: before[name] for name in names if name in before}
        return same(one, {name: filled.fields[name] for name in names if name in filled.fields})

    def after(self, before: Document, filled: Filled) -> Document:
        """The document, with all that an item tells of it replaced."""
        kept = {name: value for name, value in before.items() if name not in self._names}
        stays = {name: before[name] for name in self.stays & filled.by_server if name in before}
        changed = {self.spec.changed_at: now()} if self.spec.changed_at else {}
        return self.spec.complete({**kept, **filled.fields, **stays, **changed})

    def _exactly(self, sent: Document, raw: bytes) -> Document:
        """An item as exactly as it matters: a glance rounds long integers, which free-form objects keep."""
        if not self._has_snapshot or "user_snapshot" not in sent:
            return sent
        try:
            exact: Document = closely(raw)
        except MalformedBody as failure:
            raise Unfit({"pointer": "", "detail": failure.detail, "code": failure.code}) from None
        return exact

    def _filled(self, body: Body, parents: Parents) -> Filled:
        fields = body.stored()
        by_server = self._clocks - body.model_fields_set
        if self._has_snapshot and "user_snapshot" not in fields:
            fields["user_snapshot"] = snapshot(parents["user_id"])
            by_server |= {"user_snapshot"}
        return Filled(fields, by_server)

    @cached_property
    def key_in(self) -> Callable[[Document], Key]:
        """Picks the key out of a document."""
        pick = itemgetter(*self.key)
        return pick if len(self.key) > 1 else lambda document: (pick(document),)

    @cached_property
    def _parts(self) -> list[tuple[str, tuple[Any, ...]]]:
        """The parts of the key; with what each can be, where that is a closed set."""
        return [(name, self.spec.all_values(name)) for name in self.key]

    @cached_property
    def _names(self) -> list[str]:
        return list(self.stored.model_fields)

    @cached_property
    def _has_snapshot(self) -> bool:
        return "user_snapshot" in self._names

    @cached_property
    def _clocks(self) -> frozenset[str]:
        fields = self.item.model_fields.items()
        return frozenset(name for name, info in fields if info.default_factory is not None)


NAMES_OF_PARENTS = {*PARENT_NAMES, *PARENT_NAMES.values()}

INTAKES = {
    intake.spec: intake
    for intake in (
        # A posting whose description was mended is not news: it stays where it was on the list.
        Intake(JOBS, JobIn, JobIn, stays=frozenset({"posted_date"})),
        Intake(MATCHES, MatchItem, MatchFields),
        Intake(INTERACTIONS, InteractionItem, InteractionFields),
    )
}


def validated(model: type[Body], fields: Document) -> Body:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise Unfit(*faults_of(error.errors())) from None


def _as_stored(name: str, value: str) -> str:
    return _address(value) if name == "user_email" else value


def _address(value: str) -> str:
    """As addresses are kept; what is none is nobody's."""
    if len(value) > LONGEST_KEY:
        # Not even looked at: to normalize a megabyte of combining marks takes minutes.
        return ""
    if value.isascii() and "xn--" not in (lower := value.lower()):
        return lower
    try:
        return ADDRESS.validate_python(value)
    except ValidationError:
        return ""
