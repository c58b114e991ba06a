"""init-db: the indexes of the table."""

import json
import sys
from argparse import Namespace

from backend.app.db.indexes import Report, compare_indexes
from backend.app.db.mongo import Mongo
from backend.cli.connection import on_database
from backend.cli.server import read_settings

# An index over millions of documents takes its time.
SECONDS = 600.0


def run(arguments: Namespace) -> int:
    settings = read_settings()
    name = arguments.database or settings.prod_db
    report = on_database(settings, name, SECONDS, make_indexes)
    if arguments.json:
        made = {"created": report.created, "present": report.present, "conflicts": report.conflicts}
        print(json.dumps({"database": name, **made}, indent=2))
    else:
        describe(name, report)
    return 1 if report.conflicts else 0


async def make_indexes(mongo: Mongo) -> Report:
    return await compare_indexes(mongo, create=True)


def describe(name: str, report: Report) -> None:
    for index in report.created:
        print(f"created  {index}")
    for index in report.present:
        print(f"present  {index}")
    print(f"{name}: {len(report.created)} indexes created, {len(report.present)} there before.")
    if report.conflicts:
        print(f"{len(report.conflicts)} could not be made:", *report.conflicts, sep="\n  ", file=sys.stderr)
