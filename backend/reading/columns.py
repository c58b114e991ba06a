"""Which column is which field: as told, and else by the names that boards are known to use."""

from dataclasses import dataclass

from backend.app.models.bulk import PARENT_NAMES
from backend.reading.fields import Kind, fields_of
from backend.reading.items import Unreadable
from backend.reading.mapping import Mapping
from backend.reading.salaries import CURRENCY, SALARY, SUMS

# Beside the field's own name. In order: of two columns that fit, the first is taken.
KNOWN_AS: dict[Kind, dict[str, str]] = {
    "jobs": {
        "external_id": "external_id job_id id posting_id req_id requisition_id reference guid",
        "title": "title job_title position role job_name job position_title",
        "company": "company company_name employer organization organisation hiring_organization",
        "description": "description job_description full_description",
        "location": "location job_location candidate_required_location city place",
        "remote_type": "remote_type remote workplace_type work_mode",
        "skills_required": "skills_required skills required_skills tags keywords tech_stack technologies",
        "posted_date": "posted_date date_posted posted posted_at date publication_date published",
        "source_url": "source_url url job_url link apply_url apply_link",
        "source_platform": "source_platform source platform job_board site",
        "salary_range.min": "salary_min min_salary salary_from minimum_salary annual_salary_min",
        "salary_range.max": "salary_max max_salary salary_to maximum_salary annual_salary_max",
        "salary_range.currency": "salary_currency currency",
        "salary_range": "salary salary_range pay compensation",
        "is_active": "is_active active",
    },
    "matches": {
        "user_email": "user_email email",
        "job_external_id": "job_external_id external_id",
        "relevancy_score": "relevancy_score score relevancy relevance match_score",
        "match_reason": "match_reason reason",
        "matched_at": "matched_at date",
        "match_details.skills_matched": "skills_matched matched_skills",
        "match_details.skills_missing": "skills_missing missing_skills",
        "match_details.overall_compatibility": "overall_compatibility compatibility",
    },
    "interactions": {
        "user_email": "user_email email",
        "job_external_id": "job_external_id external_id",
        "interaction_type": "interaction_type type interaction action",
        "timestamp": "timestamp date time at",
    },
}
NO_CURRENCY = (
    "No column names the currency of the salaries. Where an amount has no sign of one either, none is sent,"
    f" and the API takes it as USD. If that is not right, say it: {CURRENCY}:=EUR"
)


@dataclass(frozen=True, slots=True)
class Columns:
    used: dict[str, str]
    """Our field: their column."""
    unused: tuple[str, ...]
    """Columns that are not sent."""
    missing: tuple[str, ...]
    """Required fields that nothing gives."""
    notes: tuple[str, ...]
    """What the one who has the file should know."""


def assign(kind: Kind, names: tuple[str, ...], mapping: Mapping, *, all_there: bool = True) -> Columns:
    """`all_there`: these are all the columns there will be, so that one told of must be among them."""
    used = {field: column for field, column in mapping.columns.items() if column}
    if all_there and (absent := [column for column in used.values() if column not in names]):
        raise Unreadable(f"There is no column {', '.join(absent)}. There are: {', '.join(names)}")
    if mapping.guess:
        taken = set(used.values())
        found = guessed(kind, [name for name in names if name not in taken])
        # The parts of something before the whole of it.
        for field, column in sorted(found.items(), key=lambda pair: -pair[0].count(".")):
            if field not in mapping.columns and not in_the_way(field, used, mapping):
                used[field] = column
    used = {field: used[field] for field in fields_of(kind) if field in used}
    given = used.keys() | mapping.constants.keys()
    return Columns(
        used,
        tuple(name for name in names if name and not is_used(name, used)),
        tuple(
            field.path if field.instead is None else f"{field.path} or {field.instead}"
            for field in fields_of(kind).values()
            if field.required and field.path not in given and field.instead not in given
        ),
        (NO_CURRENCY,) if unlabelled(given) else (),
    )


def guessed(kind: Kind, names: list[str]) -> dict[str, str]:
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(key(name), name)
    found: dict[str, str] = {}
    for field in fields_of(kind):
        for known in (field, *KNOWN_AS[kind].get(field, "").split()):
            if key(known) in by_key:
                found[field] = by_key.pop(key(known))
                break
    return found


def is_used(name: str, used: dict[str, str]) -> bool:
    return any(column == name or column.startswith(f"{name}.") for column in used.values())


def in_the_way(field: str, used: dict[str, str], mapping: Mapping) -> bool:
    """The whole of something beside its parts, a part beside the whole, a parent named twice."""
    given = {*used, *mapping.constants} - {CURRENCY}
    return any(
        other.startswith(f"{field}.") or field.startswith(f"{other}.") or PARENT_NAMES.get(other) == field
        for other in given
    )


def unlabelled(given: set[str]) -> bool:
    return not given.isdisjoint({SALARY, *SUMS}) and CURRENCY not in given


def key(name: str) -> str:
    """`Salary_Min`, `salary min` and `SalaryMin` are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
