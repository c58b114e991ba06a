"""What commands have in common: help, options, and the kinds of values that options take."""

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable

Commands = Callable[..., ArgumentParser]

HIGHEST_PORT = 65535
# As a shell reports a program that Ctrl-C has ended.
INTERRUPTED = 130

STATUSES = """\
exit status: 0 all is well, 1 it is not and the output says why, 2 the command line is wrong,
130 interrupted; for serve, to be stopped is well"""


def add(
    commands: Commands,
    name: str,
    summary: str,
    about: str,
    *examples: str,
    module: str = "",
    statuses: str = STATUSES,
) -> ArgumentParser:
    lines = ["examples:", *(f"  {example}" for example in examples), "", statuses]
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


def share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


def web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ArgumentTypeError(f"{text!r} is not an address such as http://127.0.0.1:8000")
    return text
