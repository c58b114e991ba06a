"""Show that others can read the OpenAPI document: two linters, and a client in TypeScript and in Python.

    python -m backend.tests.clients      # what `make openapi-check` does

Needs Node.js and npm, which fetches the tools once into build/clients; from then on nothing is fetched. The
clients then make a round trip to the app, on a MongoDB of its own or on $MONGODB_URI.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from backend.app.config import Settings
from backend.app.main import create_app
from backend.tests.processes import ROOT
from backend.tests.served import served

HERE = Path(__file__).parent
BUILD = ROOT / "build" / "clients"
TOOLS = BUILD / "node_modules" / ".bin"
DOCUMENT = "openapi.json"
OLDEST_NODE = (20, 19)
NO_NODE = f"""\
Node.js {".".join(map(str, OLDEST_NODE))} or newer and npm are needed: the linters and TypeScript run on them.
Install them as your system does (`apt install nodejs npm`, `brew install node`), until `node --version` and
`npm --version` answer. Everything else in this project does without."""


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m backend.tests.clients",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    if node_version() < OLDEST_NODE or not shutil.which("npm"):
        print(NO_NODE, file=sys.stderr)
        return 2
    prepare()
    passed = True
    for name, command in readings():
        passed &= step(name, command)
    if not passed:
        return 1
    with served("clients") as app:
        passed &= step("the TypeScript client makes a round trip", ["node", "client.js", app.url])
        passed &= step("the Python client makes a round trip", [sys.executable, "client.py", app.url])
    return 0 if passed else 1


def node_version() -> tuple[int, ...]:
    if not shutil.which("node"):
        return (0,)
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in shown.strip().removeprefix("v").split(".")[:2])


def prepare() -> None:
    """Lay out the build folder: the tools, the document, and the sources next to what is generated."""
    wanted = (HERE / "package.json").read_bytes()
    fetched = BUILD / "fetched.json"
    if not fetched.is_file() or fetched.read_bytes() != wanted:
        shutil.rmtree(BUILD, ignore_errors=True)
        BUILD.mkdir(parents=True)
        shutil.copy(HERE / "package.json", BUILD)
        print("      npm fetches the tools into build/clients", flush=True)
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(["npm", "install", *quiet], cwd=BUILD, stdout=subprocess.DEVNULL, check=True)
        shutil.copy(HERE / "package.json", fetched)
    for source in HERE.iterdir():
        if source.is_file() and source.name not in ("__init__.py", "__main__.py"):
            shutil.copy(source, BUILD)
    document = create_app(Settings()).openapi()
    (BUILD / DOCUMENT).write_text(json.dumps(document, indent=2), encoding="utf-8")


def readings() -> Iterator[tuple[str, list[str]]]:
    """What each reader is asked to do with the document, in the build folder."""
    yield "redocly finds nothing", [tool("redocly"), "lint", DOCUMENT, "--config", "redocly.yaml"]
    yield (
        "spectral finds nothing",
        [tool("spectral"), "lint", DOCUMENT, "--ruleset", "spectral.yaml", "--fail-severity", "hint"],
    )
    # Else a field with a default would have to be sent.
    types = [tool("openapi-typescript"), DOCUMENT, "--output", "schema.d.ts", "--default-non-nullable=false"]
    yield "openapi-typescript makes types", types
    yield "tsc --strict takes a program written against them", [tool("tsc"), "--project", "."]
    made = [sys.executable, "-m", "openapi_python_client", "generate", "--path", DOCUMENT, "--overwrite"]
    made += ["--meta", "none", "--output-path", "aijobhunt_client", "--fail-on-warning"]
    yield "openapi-python-client makes a client", [*made, "--config", "openapi-python-client.yaml"]


def tool(name: str) -> str:
    return str(TOOLS / name)


def step(name: str, command: list[str]) -> bool:
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        command, cwd=BUILD, env=os.environ | quiet, capture_output=True, text=True, check=False
    )
    passed = done.returncode == 0
    print(f"{'ok  ' if passed else 'FAIL'}  {name}", flush=True)
    if not passed:
        print(done.stdout, done.stderr, sep="\n")
    return passed


if __name__ == "__main__":
    sys.exit(main())
