"""export: fetches all documents of a kind, one a line, and goes on where it broke off."""

import gzip
import sys
import zlib
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Literal, cast

import orjson

from backend.cli.failure import CommandFailed
from backend.cli.progress import Reporter, reporter
from backend.cli.remote import connected, explained
from backend.client import Client, ClientFailure

FILTERS = {
    "jobs": {"is_active", "source_platform"},
    "matches": {"is_active", "user_id", "job_id"},
    "users": set[str](),
    "interactions": {"user_id", "job_id", "interaction_type"},
}
BLOCK = 1024 * 1024

Query = dict[str, list[str]]
"""Each filter with its values."""


def run(arguments: Namespace) -> int:
    query = filters(arguments)
    if arguments.output == "-":
        with reporter(arguments.kind) as told, connected(arguments.url, told.say) as client:
            fetch(client, arguments.kind, query, None, sys.stdout.buffer, told)
            sys.stdout.buffer.flush()
        return 0
    target = Path(arguments.output)
    try:
        count = fetch_to(target, arguments, query)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written ({error.strerror})") from error
    print(f"{target}: {count:,} {arguments.kind}", file=sys.stderr)
    return 0


def filters(arguments: Namespace) -> Query:
    known = set.union(*FILTERS.values())
    given = {name: [value] for name in sorted(known) if (value := getattr(arguments, name)) is not None}
    for name in given:
        if name not in FILTERS[arguments.kind]:
            arguments.refuse(f"--{name.replace('_', '-')} is no filter of {arguments.kind}")
    if arguments.filter and arguments.kind != "jobs":
        arguments.refuse(f"--filter is no filter of {arguments.kind}")
    for name, value in arguments.filter:
        given.setdefault(name, []).append(value)
    if arguments.resume and arguments.output == "-":
        arguments.refuse("--resume goes with --output FILE")
    return given


def fetch_to(target: Path, arguments: Namespace, query: Query) -> int:
    """Into a file beside it, which takes its name once it is whole."""
    part = target.with_name(f"{target.name}.part")
    with ExitStack() as stack:
        told = stack.enter_context(reporter(target.name))
        client = stack.enter_context(connected(arguments.url, told.say))
        before, cursor = 0, None
        if arguments.resume and part.exists():
            before, cursor = kept(part)
            told.say(f"Going on after {before:,} {arguments.kind} in {part}.")
        file = stack.enter_context(opened(part, "ab" if before else "wb", zipped=zipped(part)))
        try:
            count = fetch(client, arguments.kind, query, cursor, file, told)
        except (CommandFailed, SystemExit):
            told.say(f"{part} is incomplete. To go on, type the same command with --resume.")
            raise
    part.replace(target)
    return before + count


def fetch(
    client: Client, kind: str, query: Query, cursor: str | None, file: IO[bytes], told: Reporter
) -> int:
    exports = {
        "jobs": client.jobs.export_lines,
        "matches": client.matches.export_lines,
        "users": client.users.export_lines,
        "interactions": client.interactions.export_lines,
    }
    count = done = 0
    try:
        for lines in exports[kind](cursor=cursor, **query).batches():
            data = b"\n".join(lines) + b"\n"
            file.write(data)
            count += len(lines)
            done += len(data)
            told.show(count, f"{done / 1e6:,.1f} MB", done, None)
    except ClientFailure as failure:
        raise CommandFailed(explained(failure)) from failure
    return count


def zipped(part: Path) -> bool:
    return part.name.endswith(".gz.part")


def opened(path: Path, mode: Literal["rb", "wb", "ab"], *, zipped: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, mode)) if zipped else path.open(mode)


def kept(part: Path) -> tuple[int, str | None]:
    """How many whole lines a file holds, and the id in the last one; what is torn after it is cut off."""
    mended = part.with_name(f"{part.name}.mended")
    count, last = 0, b""
    with opened(mended, "wb", zipped=zipped(part)) as file:
        for line in whole_lines(part):
            file.write(line)
            count, last = count + 1, line
    mended.replace(part)
    try:
        return count, str(orjson.loads(last)["id"]) if last else None
    except (ValueError, KeyError, TypeError):
        raise CommandFailed(f"{part} does not end in a line that was exported. Leave --resume out.") from None


def whole_lines(part: Path) -> Iterator[bytes]:
    with opened(part, "rb", zipped=zipped(part)) as file:
        try:
            for line in file:
                if line.endswith(b"\n"):
                    yield line
        except (EOFError, gzip.BadGzipFile, zlib.error):
            # Cut off in the middle by a crash: what came before it is whole.
            return
