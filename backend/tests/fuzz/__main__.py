"""Make up requests from the OpenAPI document, send them to the app, and hold its answers against it.

    python -m backend.tests.fuzz                     # what `make fuzz` does
    python -m backend.tests.fuzz --examples 1000     # more of it
    python -m backend.tests.fuzz --seed 42           # much the same requests as last time

Schemathesis makes them up: from the examples, from the edges of every schema, at random, and in sequences
where one answer feeds the next request. It takes a few minutes, on a MongoDB of its own or on $MONGODB_URI.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from backend.tests.fuzz.tally import Tally
from backend.tests.processes import ROOT
from backend.tests.served import Served, served

CONFIG = Path(__file__).with_name("schemathesis.toml")
SINGLE = "examples,coverage,fuzzing"
SEQUENCES = "stateful"
EXAMPLES = 100
MOST_RUNS = 20
MOST_LINES_OF_LOG = 100


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m backend.tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--examples",
        type=int,
        default=EXAMPLES,
        metavar="N",
        help="random requests for each operation, and sequences of requests (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="what to make them up from (default: random)")
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    with served("fuzz") as app:
        passed = fuzz(app, options.examples, seed)
        if not passed:
            print("\nThe app wrote last:", *app.app.logged().splitlines()[-MOST_LINES_OF_LOG:], sep="\n")
    print(f"\n{'passed' if passed else 'FAILED'}: seed {seed}")
    return 0 if passed else 1


def fuzz(app: Served, examples: int, seed: int) -> bool:
    tally = Tally()
    passed = run(app, SINGLE, examples, seed, tally)
    for attempt in range(MOST_RUNS):
        if not passed or tally.sequences >= examples:
            break
        # A run of sequences ends early where Schemathesis took another turn than it had at the same point.
        passed = run(app, SEQUENCES, examples, seed + attempt, tally)
    print(f"\n{tally}")
    missed = [label for label, least in operations(app, examples).items() if tally.operations[label] < least]
    if missed:
        print("too little   " + ", ".join(missed))
    return passed and tally.sequences >= examples and not missed


def run(app: Served, phases: str, examples: int, seed: int, tally: Tally) -> bool:
    # In a directory of its own, so that what it keeps there does not reach the next run.
    with tempfile.TemporaryDirectory() as directory:
        events = Path(directory, "events.ndjson")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)]
        command += ["run", f"{app.url}/openapi.json", "--phases", phases]
        command += ["--max-examples", str(examples), "--seed", str(seed)]
        command += ["--report", "ndjson", "--report-ndjson-path", str(events)]
        environment = {**os.environ, **app.environment, "PYTHONPATH": str(ROOT)}
        status = subprocess.run(command, cwd=directory, env=environment, check=False).returncode
        if events.exists():
            tally.add(events)
    return status == 0


def operations(app: Served, examples: int) -> dict[str, int]:
    """How often each is to be asked at least; what takes no input has but one thing to ask."""
    paths = httpx.get(f"{app.url}/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path}": examples if operation.keys() & {"parameters", "requestBody"} else 1
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


if __name__ == "__main__":
    sys.exit(main())
