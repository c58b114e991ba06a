"""The commands that send files to a server, and fetch them from there."""

from argparse import ArgumentParser, ArgumentTypeError

from backend.cli.arguments.parts import Commands, add, add_json, at_least_one, share, web_address

# Not imported from where they are at home: help waits for no import that takes long.
KINDS = ("jobs", "matches", "interactions")
FORMS = ("ndjson", "json", "csv", "html")
EXPORTED = ("jobs", "matches", "users", "interactions")
INTERACTION_TYPES = ("viewed", "saved", "applied", "rejected", "withdrawn")
MOST_ITEMS = 10_000

INGEST_STATUSES = """\
exit status: 0 all is stored, 3 some items were rejected, 4 all were, 1 it failed and the output says what to
do next, 2 the command line is wrong, 130 interrupted: the same command goes on where it stopped"""

EXPORT_STATUSES = """\
exit status: 0 all is written, 1 it is not and the output says why, 2 the command line is wrong,
130 interrupted"""


def ingest(commands: Commands) -> None:
    command = add(
        commands,
        "ingest",
        "send postings, matches or interactions to a server, in bulk",
        "Each item is created, updated or left unchanged, and one bad item never stops the others. Files\n"
        "are NDJSON, a JSON array, CSV or a web page with JSON-LD, gzipped or not.\n\n"
        "What is interrupted or fails goes on where it stopped when the same command is typed again. What\n"
        "is finished and typed again is sent again, and found unchanged. Nothing is ever stored twice. How\n"
        "far it came is noted in $XDG_STATE_HOME/aijobhunt (~/.local/state/aijobhunt).\n\n"
        "With --source the files are a whole crawl of that source: at the end, its postings that are not in\n"
        "them are taken off the list, if all of the files could be read and that does not close too many.",
        "aijobhunt ingest jobs postings.ndjson.gz",
        "aijobhunt ingest jobs adzuna.csv --map 'title=Position,external_id=ID' --rejected rejected.ndjson",
        "aijobhunt ingest jobs rejected.ndjson           once mended",
        "aijobhunt ingest jobs page.html --from schema.org --dry-run",
        "aijobhunt ingest jobs crawl.ndjson --source LinkedIn",
        'psql -c "copy (select …) to stdout csv header" | aijobhunt ingest matches --format csv -',
        "aijobhunt ingest jobs postings.csv --json | jq .summary.rejected",
        statuses=INGEST_STATUSES,
    )
    command.set_defaults(refuse=command.error)
    command.add_argument("kind", choices=KINDS, metavar="|".join(KINDS), help="what is in the files")
    command.add_argument("files", nargs="+", metavar="FILE", help="what to send; - is standard input")
    add_reading(command)
    add_sending(command)
    add_run(command)
    add_server(command)
    command.add_argument(
        "--rejected", metavar="FILE", help="write what is rejected to this file, with reasons, to be mended"
    )
    command.add_argument("--fresh", action="store_true", help="start over, although it could go on")
    add_json(command)


def add_reading(command: ArgumentParser) -> None:
    reading = command.add_argument_group("reading the files")
    reading.add_argument("--format", choices=FORMS, help="of the files (found out)")
    reading.add_argument(
        "--from",
        dest="vocabulary",
        choices=("api", "schema.org"),
        default="api",
        help="whose names the fields have (%(default)s)",
    )
    reading.add_argument(
        "--map",
        dest="maps",
        action="append",
        default=[],
        metavar="FIELD=COLUMN,…",
        help="which column becomes what, where the names do not tell; FIELD:=TEXT is the same for all",
    )
    reading.add_argument(
        "--mapping", action="append", default=[], metavar="FILE", help="a TOML file that holds such a map"
    )


def add_sending(command: ArgumentParser) -> None:
    sending = command.add_argument_group("sending them")
    sending.add_argument(
        "--mode",
        choices=("replace", "merge"),
        default="replace",
        help="store items as they are sent, or merge them into what stands (%(default)s)",
    )
    sending.add_argument("--dry-run", action="store_true", help="tell what would happen, and change nothing")
    sending.add_argument(
        "--chunk", type=items, default=1000, metavar="N", help="how many items a call (%(default)s)"
    )


def add_run(command: ArgumentParser) -> None:
    runs = command.add_argument_group("ingest runs, of jobs")
    which = runs.add_mutually_exclusive_group()
    which.add_argument("--source", metavar="NAME", help="open a run of this source, and complete it")
    which.add_argument("--run", metavar="ID", help="go on with an open run, and complete it")
    runs.add_argument(
        "--max-close-ratio",
        type=share,
        default=0.5,
        metavar="SHARE",
        help="the most of a source's active postings that may be closed (%(default)s)",
    )
    runs.add_argument(
        "--close-anyway",
        action="store_true",
        help="complete the run although some items could not be read: their postings count as gone",
    )


def export(commands: Commands) -> None:
    command = add(
        commands,
        "export",
        "write all postings, matches, users or interactions of a server to a file",
        "NDJSON, one document a line in the order of their ids, gzipped if the name ends in .gz. While it\n"
        "is written, FILE is called FILE.part. When the connection breaks, it goes on where it broke.",
        "aijobhunt export jobs -o jobs.ndjson.gz",
        "aijobhunt export jobs -o jobs.ndjson.gz --resume          after an interruption",
        "aijobhunt export jobs --filter q='data engineer' --filter location=Berlin",
        "aijobhunt export matches --user-id 665f00000000000000000001 | jq .relevancy_score",
        statuses=EXPORT_STATUSES,
    )
    command.set_defaults(refuse=command.error)
    command.add_argument("kind", choices=EXPORTED, metavar="|".join(EXPORTED), help="what to fetch")
    command.add_argument("-o", "--output", default="-", metavar="FILE", help="where to; - is standard output")
    command.add_argument("--resume", action="store_true", help="go on with FILE.part, if it is there")
    filters = command.add_argument_group("filters")
    filters.add_argument("--is-active", choices=("true", "false", "any"), help="jobs (true), matches (any)")
    filters.add_argument("--source-platform", metavar="NAME", help="jobs")
    filters.add_argument(
        "--filter",
        action="append",
        default=[],
        type=named_value,
        metavar="NAME=VALUE",
        help="jobs: q, title, skill or any other filter of GET /jobs/; may be repeated",
    )
    filters.add_argument("--user-id", metavar="ID", help="matches, interactions")
    filters.add_argument("--job-id", metavar="ID", help="matches, interactions")
    filters.add_argument("--interaction-type", choices=INTERACTION_TYPES, help="interactions")
    add_server(command)


def add_server(command: ArgumentParser) -> None:
    command.add_argument(
        "--url", type=web_address, help="where the server is ($AIJOBHUNT_URL, else http://127.0.0.1:8000)"
    )


def named_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def items(text: str) -> int:
    number = at_least_one(text)
    if number > MOST_ITEMS:
        raise ArgumentTypeError(f"{text!r} is more than one call takes: {MOST_ITEMS}")
    return number
