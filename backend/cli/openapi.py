"""openapi: the OpenAPI document, for generators of clients and for reviews."""

import sys
from argparse import Namespace
from pathlib import Path

from backend import generated
from backend.cli.failure import CommandFailed
from backend.cli.server import read_settings


def run(arguments: Namespace) -> int:
    read_settings()
    document = generated.openapi()
    if arguments.file == "-":
        # As bytes: the document is UTF-8 whatever the terminal is.
        sys.stdout.buffer.write(document.encode())
        sys.stdout.flush()
        return 0
    try:
        Path(arguments.file).write_text(document, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(
            f"{arguments.file} cannot be written ({error.strerror}); name a file in a directory that is "
            "there, or - for standard output"
        ) from error
    print(f"Wrote {arguments.file}")
    return 0
