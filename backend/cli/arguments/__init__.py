"""What can be typed: every command with its options, its examples and its exit statuses."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from backend.cli.arguments import serving, transfers
from backend.cli.arguments.parts import STATUSES

ABOUT = """\
AI Job Hunt: users, job postings, scored matches, saved searches and interactions as a REST service.

Settings come from the environment, then from a .env file. With MONGODB_URI set, every command works on
that database. Without it, on an embedded MongoDB that keeps its data in DATA_DIR (data/mongodb): the one
that `aijobhunt serve` runs if it does, else one that is started for the time. Only ingest and export talk
to a server instead, by HTTP."""

EXAMPLES = f"""\
examples:
  aijobhunt demo                       fill the database with examples
  aijobhunt serve                      run the app, and look at http://127.0.0.1:8000/docs
  aijobhunt ingest jobs postings.csv   send it postings

{STATUSES}; ingest has more to tell"""


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
    serving.serve(commands)
    serving.init_db(commands)
    serving.demo(commands)
    serving.check(commands)
    serving.openapi(commands)
    transfers.ingest(commands)
    transfers.export(commands)
    return made
