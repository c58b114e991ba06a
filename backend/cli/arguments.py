"""What can be typed: every command with its options, its examples and its exit statuses."""

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable

Commands = Callable[..., ArgumentParser]

HIGHEST_PORT = 65535
# As a shell reports a program that Ctrl-C has ended.
INTERRUPTED = 130

ABOUT = """\
AI Job Hunt: users, job postings, scored matches, saved searches and interactions as a REST service.

Settings come from the environment, then from a .env file. With MONGODB_URI set, every command works on
that database. Without it, on an embedded MongoDB that keeps its data in DATA_DIR (data/mongodb): the one
that `aijobhunt serve` runs if it does, else one that is started for the time."""

STATUSES = """\
exit status: 0 all is well, 1 it is not and the output says why, 2 the command line is wrong,
130 interrupted; for serve, to be stopped is well"""

EXAMPLES = f"""\
examples:
  aijobhunt demo     fill the database with examples
  aijobhunt serve    run the app, and look at http://127.0.0.1:8000/docs

{STATUSES}"""


def parser() -> ArgumentParser:
    made = ArgumentParser(
        prog="aijobhunt",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    ).add_parser
    serve(commands)
    init_db(commands)
    demo(commands)
    check(commands)
    openapi(commands)
    return made


def serve(commands: Commands) -> None:
    command = add(
        commands,
        "serve",
        "run the app, on an embedded MongoDB if none is configured",
        "Runs until Ctrl-C or SIGTERM: then requests in flight are finished, and the embedded MongoDB,\n"
        "if there is one, ends last.",
        "aijobhunt serve",
        "aijobhunt serve --reload                         while working on the code",
        "aijobhunt serve --host 0.0.0.0 --workers 4       for others to use",
        "MONGODB_URI='mongodb://db/?replicaSet=rs0' aijobhunt serve",
    )
    command.set_defaults(status_when_stopped=0)
    command.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    command.add_argument(
        "--port", type=port, default=8000, help="the port to listen on; 0 takes a free one (%(default)s)"
    )
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--workers", type=at_least_one, default=1, metavar="N", help="how many processes (%(default)s)"
    )
    how.add_argument("--reload", action="store_true", help="start anew whenever the code changes")


def init_db(commands: Commands) -> None:
    command = add(
        commands,
        "init-db",
        "make the indexes that are missing",
        "Safe to repeat. An index that stands in the way is named, and nothing is ever dropped.",
        "aijobhunt init-db",
        "aijobhunt init-db --json | jq .created",
        module="database",
    )
    add_database(command)
    add_json(command)


def demo(commands: Commands) -> None:
    command = add(
        commands,
        "demo",
        "fill the database with examples",
        "A few hundred users, postings, matches, saved searches and interactions: the same every time, but\n"
        "for their dates, which end today. The examples of /docs are about the first of each.",
        "aijobhunt demo",
        "aijobhunt demo --database playground    leave the app's own database alone",
        "aijobhunt demo --yes                    start over, even if the database is not empty",
    )
    add_database(command)
    command.add_argument(
        "--yes", action="store_true", help="replace what is in the app's collections, if anything is"
    )
    add_json(command)


def check(commands: Commands) -> None:
    command = add(
        commands,
        "check",
        "tell whether settings, connection, server and indexes are in order",
        "One line each. Changes nothing in the database.",
        "aijobhunt check",
        "aijobhunt check --json | jq '.checks[] | select(.ok | not)'",
    )
    add_database(command)
    add_json(command)


def openapi(commands: Commands) -> None:
    command = add(
        commands,
        "openapi",
        "write the OpenAPI document",
        "Needs no database. The same code writes the same bytes.",
        "aijobhunt openapi openapi.json",
        "aijobhunt openapi | jq '.paths | keys'",
    )
    command.add_argument("file", nargs="?", default="-", help="where to; - is standard output (default)")


def add(
    commands: Commands, name: str, summary: str, about: str, *examples: str, module: str = ""
) -> ArgumentParser:
    lines = ["examples:", *(f"  {example}" for example in examples), "", STATUSES]
    command = commands(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n{about}",
        epilog="\n".join(lines),
        formatter_class=RawDescriptionHelpFormatter,
    )
    command.set_defaults(module=f"backend.cli.{module or name}", status_when_stopped=INTERRUPTED)
    return command


def add_database(command: ArgumentParser) -> None:
    command.add_argument("--database", metavar="NAME", help="which database (PROD_DB)")


def add_json(command: ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise ArgumentTypeError(f"{text!r} is not a port: 0 to {HIGHEST_PORT}")
    return int(text)


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)
