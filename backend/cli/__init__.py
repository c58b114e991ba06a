"""The command line, `aijobhunt`: one module a command, what it takes in `arguments`."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from backend.cli.arguments import parser
from backend.cli.failure import CommandFailed
from backend.cli.signals import stoppable

FAILED = 1


def main(given: Sequence[str] | None = None) -> int:
    """Run the command that is named, and return its exit status."""
    arguments = parser().parse_args(given)
    try:
        with stoppable(arguments.status_when_stopped):
            # Only now: what a command imports takes longer than to print its help.
            status: int = import_module(arguments.module).run(arguments)
    except CommandFailed as failure:
        print(f"aijobhunt {arguments.command}: {failure}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Who reads has had enough; without this Python would complain once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status
