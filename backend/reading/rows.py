"""A row becomes an item: each column read as the field it stands for."""

from collections.abc import Mapping as Row
from typing import Any

from backend.reading.columns import Columns, assign
from backend.reading.fields import Kind, fields_of
from backend.reading.items import Draft
from backend.reading.mapping import Mapping
from backend.reading.salaries import SALARY, put_salary
from backend.reading.values import reader

MOST_SHAPES = 1_000
"""Of JSON objects, each with keys of its own; more than these are read, but not remembered."""


class Rows:
    """Rows of a table, which all have the same columns."""

    def __init__(
        self, kind: Kind, names: tuple[str, ...], mapping: Mapping, *, all_there: bool = True
    ) -> None:
        self.columns = assign(kind, names, mapping, all_there=all_there)
        self._mapping = mapping
        given = self.columns.used.keys() | mapping.constants.keys()
        fields = [field for path, field in fields_of(kind).items() if path in given]
        self._salary = [field.path for field in fields if field.path.startswith(SALARY)]
        self._steps = [(field, reader(field, mapping)) for field in fields if field.path not in self._salary]

    def draft(self, row: Row[str, Any]) -> Draft:
        draft = Draft()
        for field, read in self._steps:
            value = self._cell(row, field.path)
            if value is not None:
                draft.put_read(field.path, read, value)
            if field.may_be_empty:
                draft.fields.setdefault(field.path, "")
        salary = {path: self._cell(row, path) for path in self._salary}
        put_salary(draft, {path: value for path, value in salary.items() if value is not None}, self._mapping)
        return draft

    def _cell(self, row: Row[str, Any], path: str) -> Any:
        """What the column says; if that is nothing, the constant."""
        column = self.columns.used.get(path)
        value = None if column is None else at(row, column)
        if value is None or (isinstance(value, str) and not value.strip()):
            return self._mapping.constants.get(path)
        return value


class Objects:
    """JSON objects with names of their own, each with those that it has."""

    def __init__(self, kind: Kind, mapping: Mapping) -> None:
        self._kind, self._mapping = kind, mapping
        self._known: dict[tuple[str, ...], Rows] = {}
        self.columns: Columns | None = None

    def draft(self, record: dict[str, Any]) -> Draft:
        # A remark is no column: the file of rejected items has one in each.
        names = tuple(name for name in record if not name.startswith("_"))
        rows = self._known.get(names)
        if rows is None:
            rows = Rows(self._kind, names, self._mapping, all_there=False)
            if len(self._known) < MOST_SHAPES:
                self._known[names] = rows
                self.columns = united(self.columns, rows.columns)
        return rows.draft(record)


def united(before: Columns | None, more: Columns) -> Columns:
    if before is None:
        return more
    used = {**more.used, **before.used}
    taken = set(used.values())
    return Columns(
        used,
        tuple(name for name in dict.fromkeys((*before.unused, *more.unused)) if name not in taken),
        tuple(name for name in before.missing if name in more.missing),
        before.notes or more.notes,
    )


def at(row: Row[str, Any], column: str) -> Any:
    """By name; failing that, step by step into what is embedded: `company.name`, `places.0.city`."""
    if column in row or "." not in column:
        return row.get(column)
    inside: Any = row
    for step in column.split("."):
        if isinstance(inside, dict):
            inside = inside.get(step)
        elif isinstance(inside, list) and step.isdecimal() and int(step) < len(inside):
            inside = inside[int(step)]
        else:
            return None
    return inside
