"""Makes the indexes of the table, and says so when one that stands is in the way. Drops nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.errors import DuplicateKeyError

from backend.app.db import mongo
from backend.app.db.mongo import Mongo
from backend.app.db.schema import LEDGERS, TABLE, IndexKeys

Options = Mapping[str, Any]


class IndexConflict(Exception):
    """Indexes that stand, or data, keep the table's from being made. One line each."""


@dataclass(frozen=True)
class Report:
    """What was found: made just now, there before, in the way, and not made because nobody asked."""

    created: list[str]
    present: list[str]
    conflicts: list[str]
    missing: list[str]


async def ensure_indexes(connection: Mongo | None = None) -> Report:
    """Create every index of the table that is missing. Safe to run at any time, by many at once."""
    report = await compare_indexes(connection, create=True)
    if report.conflicts:
        raise IndexConflict("\n".join(report.conflicts))
    return report


async def compare_indexes(connection: Mongo | None = None, *, create: bool = False) -> Report:
    connection = connection or mongo.current()
    report = Report([], [], [], [])
    for collection, indexes in wanted().items():
        standing = await connection.db[collection].index_information()
        for keys, options in indexes:
            await _one(connection, collection, standing, keys, options, report, create)
    return report


def wanted() -> dict[str, list[tuple[IndexKeys, Options]]]:
    """Every index there should be, by collection: its keys and its options."""
    found: dict[str, list[tuple[IndexKeys, Options]]] = {
        spec.name: [(keys, {"unique": True} if unique else {}) for keys, unique in spec.indexes]
        for spec in TABLE
    }
    for ledger in LEDGERS:
        if ledger.kept is not None:
            seconds = int(ledger.kept.total_seconds())
            found[ledger.name] = [((("at", 1),), {"expireAfterSeconds": seconds})]
    return found


async def _one(
    connection: Mongo,
    collection: str,
    standing: Mapping[str, Mapping[str, Any]],
    keys: IndexKeys,
    options: Options,
    report: Report,
    create: bool,
) -> None:
    name = "_".join(f"{field}_{direction}" for field, direction in keys)
    here = f"{collection}.{name}"
    same_keys = [(other, about) for other, about in standing.items() if tuple(about["key"]) == keys]
    if obstacle := _obstacle(name, keys, options, standing):
        report.conflicts.append(f"{collection}: {obstacle}")
    elif same_keys:
        report.present.append(here)
    elif not create:
        report.missing.append(here)
    else:
        try:
            await connection.db[collection].create_index(list(keys), name=name, **options)
        except DuplicateKeyError:
            report.conflicts.append(
                f"{collection}: documents that share {', '.join(field for field, _ in keys)} "
                "keep the unique index from being made; remove all but one of each"
            )
        else:
            report.created.append(here)


OPTIONS_THAT_CHANGE_ANSWERS = (
    "unique",
    "sparse",
    "partialFilterExpression",
    "collation",
    "expireAfterSeconds",
    "hidden",
)


def _obstacle(
    name: str, keys: IndexKeys, wanted: Options, standing: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """What is wrong with the index that stands where the table's should, if anything is."""
    for other, about in standing.items():
        found = {option: about[option] for option in OPTIONS_THAT_CHANGE_ANSWERS if about.get(option)}
        if tuple(about["key"]) == keys and found != wanted:
            return (
                f"index {other} has options {found or 'none'}, the table wants {wanted or 'none'}; "
                f"drop it and run `aijobhunt init-db` again"
            )
        if other == name and tuple(about["key"]) != keys:
            return (
                f"index {other} has keys {about['key']}, the table wants {list(keys)}; "
                f"drop it and run `aijobhunt init-db` again"
            )
    return None
