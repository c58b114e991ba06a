"""`JobPosting` as schema.org describes it, found wherever in the JSON-LD it stands."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.reading import text
from backend.reading.fields import fields_of
from backend.reading.items import Draft, Unreadable
from backend.reading.linked_data import first, named, nodes, plain, types
from backend.reading.mapping import Mapping
from backend.reading.salaries import CURRENCY, SALARY, SUMS, put_salary
from backend.reading.values import Reader, reader

YEARLY = {"", "YEAR", "YEARLY", "ANNUAL", "ANNUM", "ANN", "P1Y"}
PLACE_PARTS = ("addressLocality", "addressRegion", "addressCountry")


class Postings:
    """Every posting in a document: the document itself, in a list, a `@graph`, an `ItemList`, a page."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._readers: dict[str, Reader] = {
            path: reader(field, mapping) for path, field in fields_of("jobs").items() if field.shape != "pay"
        }
        self._kept_out = {field for field, column in mapping.columns.items() if not column}

    def __call__(self, document: Any) -> Iterator[Draft]:
        for node in nodes(document, "JobPosting"):
            yield self._draft(node)

    def _draft(self, node: dict[str, Any]) -> Draft:
        draft = Draft()
        self._put_each(
            draft,
            {
                "external_id": identity(node),
                "title": plain(node.get("title") or node.get("name")),
                "company": named(node.get("hiringOrganization")),
                "description": plain(node.get("description")),
                "remote_type": "remote" if "telecommute" in types(node.get("jobLocationType")) else None,
                "skills_required": skills(node.get("skills")),
                "posted_date": plain(node.get("datePosted")),
                "source_url": plain(node.get("url")),
            },
        )
        if "location" not in self._kept_out:
            where = places(node.get("jobLocation")) or places(node.get("applicantLocationRequirements"))
            constant = self._mapping.constants.get("location", "")
            draft.put("location", text.line("; ".join(where), self._mapping.repair) or constant)
        if "is_active" not in self._kept_out:
            self._put_expiry(draft, plain(node.get("validThrough")))
        if SALARY not in self._kept_out:
            self._put_salary(draft, node)
        return draft

    def _put_each(self, draft: Draft, values: dict[str, Any]) -> None:
        simple = {
            path: value for path, value in self._mapping.constants.items() if not path.startswith(SALARY)
        }
        simple |= {path: value for path, value in values.items() if value is not None}
        for path, value in simple.items():
            if path not in self._kept_out and path != "location":
                draft.put_read(path, self._readers[path], value)

    def _put_expiry(self, draft: Draft, until: Any) -> None:
        if until is None:
            return
        try:
            moment = self._readers["posted_date"](until)
        except Unreadable as reason:
            draft.refuse("is_active", f"validThrough tells nothing: {reason}")
            return
        if not isinstance(moment, str):
            return
        # A day without a time is the last day, whole.
        grace = timedelta(0) if ":" in str(until) else timedelta(days=1)
        if datetime.fromisoformat(moment) <= datetime.now(UTC) - grace:
            draft.put("is_active", False)

    def _put_salary(self, draft: Draft, node: dict[str, Any]) -> None:
        cells, unit = salary(first(node.get("baseSalary")), node.get("salaryCurrency"))
        if not cells.keys() & {SALARY, *SUMS}:
            return
        if CURRENCY not in cells and CURRENCY in self._mapping.constants:
            cells[CURRENCY] = self._mapping.constants[CURRENCY]
        if unit.upper() not in YEARLY:
            if self._mapping.other_periods == "refuse":
                draft.refuse(
                    SALARY,
                    f"Not paid by the year but by {unit!r}, and never converted. "
                    "To send the posting without its salary: other_periods:=omit",
                )
                for path, value in cells.items():
                    draft.put(path, value)
            return
        put_salary(draft, cells, self._mapping)
        if isinstance(sums := draft.fields.get(SALARY), dict) and "currency" not in sums and not draft.faults:
            draft.refuse(CURRENCY, f"The salary has no currency; say it: {CURRENCY}:=…")


def identity(node: dict[str, Any]) -> Any:
    """What the source calls it; failing that, where it stands."""
    identifier = first(node.get("identifier"))
    if isinstance(identifier, dict):
        identifier = identifier.get("value", identifier.get("@value"))
    return plain(identifier) or plain(node.get("url")) or node.get("@id")


def skills(value: Any) -> Any:
    if isinstance(value, list):
        return [named(skill) for skill in value if named(skill) is not None]
    return named(value)


def places(value: Any) -> list[str]:
    found = [place(one) for one in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(one for one in found if one))


def place(value: Any) -> str:
    if not isinstance(value, dict):
        return value if isinstance(value, str) else ""
    address = first(value.get("address"))
    if isinstance(address, dict):
        parts = [named(address.get(part)) for part in PLACE_PARTS]
        if stated := dict.fromkeys(part.strip() for part in parts if isinstance(part, str)):
            return ", ".join(part for part in stated if part)
    return address if isinstance(address, str) else str(named(value) or "")


def salary(value: Any, beside: Any) -> tuple[dict[str, Any], str]:
    """The cells of a salary, and the unit of time they are of."""
    cells: dict[str, Any] = {}
    amount: Any = value
    unit: Any = ""
    if isinstance(value, dict):
        beside = value.get("currency") or value.get("priceCurrency") or beside
        amount = first(value.get("value", value.get("price", value)))
        unit = value.get("unitText")
    if isinstance(amount, dict):
        unit = amount.get("unitText") or amount.get("unitCode") or unit
        for path, name in zip(SUMS, ("minValue", "maxValue"), strict=True):
            cells[path] = amount.get(name)
        amount = amount.get("value")
    if not any(cells.values()):
        cells[SALARY] = amount
    cells[CURRENCY] = beside
    return {path: one for path, one in cells.items() if one not in (None, "")}, str(unit or "")
