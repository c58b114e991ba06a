"""check: whether all that the app stands on is in order, one line each."""

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from backend.app.config import Settings
from backend.app.db.indexes import compare_indexes
from backend.app.db.mongo import Mongo
from backend.cli.connection import on_database
from backend.cli.failure import CommandFailed
from backend.cli.server import address, read_settings

SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    name: str
    ok: bool
    detail: str


def run(arguments: Namespace) -> int:
    found = list(findings(arguments.database))
    ok = all(finding.ok for finding in found)
    if arguments.json:
        print(json.dumps({"ok": ok, "checks": [asdict(finding) for finding in found]}, indent=2))
    else:
        for finding in found:
            print(f"{'ok' if finding.ok else 'PROBLEM':8} {finding.name:12} {on_one_line(finding.detail)}")
    return 0 if ok else 1


def findings(database: str | None) -> Iterator[Finding]:
    """One after the other; what stands on something that is broken is not looked at."""
    try:
        settings = read_settings()
    except CommandFailed as failure:
        yield Finding("settings", False, str(failure))
        return
    name = database or settings.prod_db
    yield Finding("settings", True, described(settings, name))
    try:
        yield from on_database(settings, name, SECONDS, look)
    except CommandFailed as failure:
        yield Finding("connection", False, str(failure))


def described(settings: Settings, database: str) -> str:
    source = "MONGODB_URI" if settings.mongodb_uri else f"embedded MongoDB in {settings.data_dir}"
    return f"{source}, database {database}, driver {settings.mongo_driver}"


async def look(mongo: Mongo) -> list[Finding]:
    about = await mongo.db.command("buildInfo")
    hello = await mongo.db.command("hello")
    return [
        Finding("connection", True, f"{address(mongo.settings.uri)} answers"),
        Finding("server", True, f"MongoDB {about['version']}"),
        topology(hello),
        await indexes(mongo),
    ]


def topology(hello: dict[str, Any]) -> Finding:
    if hello.get("msg") == "isdbgrid":
        return Finding("replica set", True, "a sharded cluster, which has transactions too")
    if name := hello.get("setName"):
        return Finding("replica set", True, f"{name}, {len(hello['hosts'])} with data")
    return Finding(
        "replica set",
        False,
        "a standalone server, which has no transactions: users cannot be created, nor users and postings "
        "deleted; start mongod with --replSet and run rs.initiate() once",
    )


async def indexes(mongo: Mongo) -> Finding:
    report = await compare_indexes(mongo)
    problems = list(report.conflicts)
    if report.missing:
        problems.append(f"missing: {', '.join(report.missing)}; run `aijobhunt init-db`")
    return Finding("indexes", not problems, "\n".join(problems) or f"all {len(report.present)} are there")


def on_one_line(detail: str) -> str:
    return "; ".join(line.strip() for line in detail.splitlines())
