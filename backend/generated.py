"""The documents that follow from the code, so that no fact is written twice.

python -m backend.generated          # write them (make docs)
python -m backend.generated --check  # say which ones are out of date, and fail if any is (make check)
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from backend.app.config import Settings
from backend.app.db.schema import LEDGERS, TABLE, IndexKeys, Spec, in_order_of_ids
from backend.app.main import create_app

ROOT = Path(__file__).parent.parent


def openapi() -> str:
    made = create_app(Settings(_env_file=None)).openapi()
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def env_example() -> str:
    lines = ["# Every setting with its default. Copy to .env and change what you need."]
    for name, field in Settings.model_fields.items():
        value = "" if field.default in (None, ()) else field.default
        lines += ["", f"# {field.description}", f"{name.upper()}={value}"]
    return "\n".join(lines) + "\n"


def schema() -> str:
    return "\n".join(_schema_lines())


def _schema_lines() -> Iterator[str]:
    yield "# The database"
    yield ""
    yield "Made from the table in `backend/app/db/schema.py` by `make docs`; a test holds the two equal."
    yield "Every document also has a `revision`, which grows with each write and is not shown to clients."
    for spec in TABLE:
        yield from ("", f"## {spec.name}", "", cast("str", spec.model.__doc__))
        yield from ("", "| field | type | what it is |", "|---|---|---|")
        yield from _fields(spec.model)
        if spec.derived:
            for name, (kind, about) in spec.derived.fields.items():
                yield f"| `{name}` | {kind} | {about} Worked out when the document is written; not shown. |"
        yield from ("", "| index | serves |", "|---|---|", "| `_id` | unique: one document by id |")
        yield from _indexes(spec)
        yield from _relations(spec)
    yield from (
        "",
        "## What the service notes for itself",
        "",
        "| collection | what it holds | kept |",
        "|---|---|---|",
    )
    for ledger in LEDGERS:
        hours = f"{ledger.kept.total_seconds() / 3600:g} hours" if ledger.kept else "until it is dealt with"
        yield f"| `{ledger.name}` | {ledger.about} | {hours} |"
    yield ""


def _fields(model: type[BaseModel]) -> Iterator[str]:
    properties = model.model_json_schema(mode="serialization", ref_template="{model}")
    inner = properties.get("$defs", {})
    # The id leads, as a reader expects.
    for name, about in sorted(properties["properties"].items(), key=lambda field: field[0] != "id"):
        stored = "_id" if name == "id" else name
        yield f"| `{stored}` | {_type(about)} | {_description(about)} |"
        for part in _embedded(about, inner):
            for below, detail in inner[part]["properties"].items():
                yield f"| `{stored}.{below}` | {_type(detail)} | {_description(detail)} |"


def _description(about: dict[str, Any]) -> str:
    return str(about.get("description", "")).replace("\n", " ").replace("|", "\\|")


def _embedded(about: dict[str, Any], inner: dict[str, Any]) -> list[str]:
    options = [about, *about.get("anyOf", [])]
    return [option["$ref"] for option in options if option.get("$ref") in inner]


def _type(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        kinds = [_type(option) for option in about["anyOf"] if option.get("type") != "null"]
        return " or ".join(kinds) + ", or absent"
    if "$ref" in about:
        return "object"
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if about.get("pattern", "").endswith("{24}$"):
        return "ObjectId"
    if about.get("type") == "array":
        return f"list of {_type(about['items'])}"
    return {"date-time": "date"}.get(about.get("format", ""), str(about.get("type")))


def _indexes(spec: Spec) -> Iterator[str]:
    for unique in spec.unique:
        keys: IndexKeys = tuple((name, 1) for name in unique)
        yield f"| {_keys(keys)} | unique: one document for each |"
    for listing in spec.lists:
        of = " and ".join(f"`{name}`" for name in listing.where)
        order = "greatest" if listing.direction < 0 else "least"
        which = f"by {of}" if of else "of all"
        yield f"| {_keys(listing.keys)} | the list {which}, {order} `{listing.by}` first |"
    for fields in spec.exports:
        of = " and ".join(f"`{name}`" for name in fields)
        yield f"| {_keys(in_order_of_ids(fields))} | all by {of}, in order of ids, for exports |"
    for fields in spec.counted:
        *equal, between = (f"`{name}`" for name in fields)
        keys = tuple((name, 1) for name in fields)
        yield f"| {_keys(keys)} | counts by {' and '.join(equal)}, over {between} |"


def _keys(keys: IndexKeys) -> str:
    return ", ".join(f"`{name}`" + (" descending" if direction < 0 else "") for name, direction in keys)


def _relations(spec: Spec) -> Iterator[str]:
    if spec.belongs_to:
        yield ""
    for name, parent in spec.belongs_to.items():
        yield f"- `{name}` is a document of `{parent.name}`, and this one goes when that one does."
    if children := sorted({child.name for child, _ in spec.children}):
        yield from ("", "Takes along: " + ", ".join(f"`{child}`" for child in children) + ".")


GENERATED: dict[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/openapi.json": openapi,
    "docs/schema.md": schema,
}


def outdated(root: Path = ROOT) -> list[str]:
    return [
        name
        for name, make in GENERATED.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != make()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m backend.generated",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if any is out of date")
    check = parser.parse_args().check
    stale = outdated()
    for name in stale:
        if not check:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(GENERATED[name](), encoding="utf-8")
        print(f"{name}: {'out of date; run make docs' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
