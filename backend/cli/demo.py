"""demo: fills the database with examples."""

import json
import sys
from argparse import Namespace
from datetime import UTC, datetime, time

from rich.console import Console
from rich.progress import Progress

from backend.app.db.collection import Collection
from backend.app.db.indexes import compare_indexes, ensure_indexes
from backend.app.db.mongo import Mongo
from backend.app.db.schema import TABLE
from backend.cli.connection import on_database
from backend.cli.failure import CommandFailed
from backend.cli.server import read_settings
from backend.demo import Dataset, dataset

SECONDS = 120.0
BATCH = 200

Counts = dict[str, int]


def run(arguments: Namespace) -> int:
    settings = read_settings()
    name = arguments.database or settings.prod_db
    midnight = datetime.combine(datetime.now(UTC), time.min)

    async def work(mongo: Mongo) -> Counts:
        await make_room(mongo, replace=arguments.yes)
        terminal = Console(stderr=True)
        with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
            return await write(mongo, dataset(midnight), progress)

    written = on_database(settings, name, SECONDS, work)
    if arguments.json:
        print(json.dumps({"database": name, "written": written}, indent=2))
    else:
        print(f"Filled {name}: {listed(written)}.")
        print("To look at it: aijobhunt serve")
    return 0


async def make_room(mongo: Mongo, *, replace: bool) -> None:
    """Leave the app's collections empty, if they are not and that is wanted."""
    standing = {spec.name: await mongo.db[spec.name].count_documents({}) for spec in TABLE}
    there = listed({name: count for name, count in standing.items() if count})
    if there and not replace:
        raise CommandFailed(
            f"{mongo.db.name} is not empty: {there}.\n"
            "Replace them:       aijobhunt demo --yes\n"
            "Leave them alone:   aijobhunt demo --database NAME"
        )
    # Before anything is removed: what cannot be filled again had better stay.
    if conflicts := (await compare_indexes(mongo)).conflicts:
        raise CommandFailed("\n  ".join(["Indexes are in the way, and nothing was changed:", *conflicts]))
    if there:
        print(f"Replacing what is in {mongo.db.name}: {there}.", file=sys.stderr)
        for spec in reversed(TABLE):
            await mongo.db[spec.name].delete_many({})


async def write(mongo: Mongo, data: Dataset, progress: Progress) -> Counts:
    await ensure_indexes(mongo)
    for spec, entries in data.items():
        collection = Collection(mongo, spec)
        task = progress.add_task(spec.name, total=len(entries))
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            documents = [{**collection.born(one.body.stored()), "_id": one.id, **one.kept} for one in batch]
            await collection.documents.insert_many(documents)
            progress.advance(task, len(documents))
    return {spec.name: len(entries) for spec, entries in data.items()}


def listed(counts: Counts) -> str:
    return ", ".join(f"{count:,} in {name}" for name, count in counts.items())
