"""ingest: sends files to a server in bulk, each item once, and tells what became of them."""

from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from backend.cli.ingestion import Ingestion
from backend.cli.journal import Journal, identity, place
from backend.cli.progress import reporter
from backend.cli.remote import connected
from backend.cli.sources import Sources, contents, names


def run(arguments: Namespace) -> int:
    require_sense(arguments)
    with ExitStack() as stack:
        told = stack.enter_context(reporter(names(arguments.files)))
        sources = Sources(arguments, told.say)
        client = stack.enter_context(connected(arguments.url, told.say))
        journal = opened_journal(arguments, client.url)
        if journal:
            stack.callback(journal.close)
        report = Ingestion(arguments, client, sources, journal, told, stack).run()
    report.show()
    return report.status


def require_sense(arguments: Namespace) -> None:
    in_run = arguments.source or arguments.run
    if in_run and arguments.kind != "jobs":
        arguments.refuse("ingest runs are of jobs: --source and --run go with no others")
    if arguments.close_anyway and not in_run:
        arguments.refuse("--close-anyway goes with --source or --run")
    if arguments.files.count("-") > 1:
        arguments.refuse("standard input can be read only once")
    for path in arguments.files:
        if arguments.rejected and path != "-" and same_file(path, arguments.rejected):
            arguments.refuse(f"--rejected {arguments.rejected} would overwrite what is to be sent")


def same_file(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def opened_journal(arguments: Namespace, url: str) -> Journal | None:
    files = identity(arguments.files)
    # A dry run changes nothing that it could go on with.
    if files is None or arguments.dry_run:
        return None
    what = ("kind", "mode", "format", "vocabulary", "maps", "chunk", "source", "run")
    command = {name: getattr(arguments, name) for name in what}
    mapping = [[str(Path(path).resolve()) for path in arguments.mapping], contents(arguments.mapping)]
    rejected = arguments.rejected and str(Path(arguments.rejected).resolve())
    paths = [file[0] for file in files]
    command |= {"mapping": mapping, "files": paths, "rejected": rejected, "url": url}
    return Journal(place(command), files)
