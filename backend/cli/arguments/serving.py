"""The commands that serve the app, and that look after its database."""

from backend.cli.arguments.parts import Commands, add, add_database, add_json, at_least_one, port


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
