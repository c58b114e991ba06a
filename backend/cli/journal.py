"""What of an ingestion is done, so that the same command can go on with it."""

import fcntl
import hashlib
import json
import os
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from backend.cli.failure import CommandFailed
from backend.client import Summary

FORMAT = 1


@dataclass(frozen=True)
class State:
    """How far it has come: all that is needed to go on from there."""

    chunks: int = 0
    items: int = 0
    summary: Summary = field(default_factory=Summary)
    unsent: int = 0
    """Items that could not be read."""
    broken: bool = False
    """Whether a file ended before its end."""
    rejected_bytes: int = 0
    """How much of the file of what was rejected belongs to that."""


class Journal:
    """A file of one line for what is being ingested, and one more whenever a chunk is finished.

    Only ever appended to: a line that was torn by a crash is one chunk that is sent again, under its old key.
    """

    def __init__(self, path: Path, files: list[list[Any]]) -> None:
        self._path = path
        self._files = files
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file: IO[bytes] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        except OSError as error:
            raise CommandFailed(
                f"{path} cannot be written ({error.strerror}). Name another place in XDG_STATE_HOME."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise CommandFailed("The same command is running already.") from None
        self._read()

    def _read(self) -> None:
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            head, *lines = [json.loads(line) for line in whole.splitlines()]
            known = head.get("format") == FORMAT
            state = State(**{**lines[-1], "summary": Summary(**lines[-1]["summary"])}) if lines else State()
        except (ValueError, AttributeError, KeyError, TypeError):
            head, state, known = {}, State(), False
        self.found = known
        """Whether there is something to go on with."""
        self.changed = known and head["files"] != self._files
        """Whether the files are others since."""
        self.state = state
        self.key: str = head.get("key", "")
        self.run_id: str | None = head.get("run_id")
        self.begun: str = head.get("begun", "")
        self._cut(len(whole))

    def begin(self) -> None:
        """Forget what was, and start over under another key."""
        self.found = self.changed = False
        self.state, self.run_id, self.key = State(), None, uuid.uuid4().hex
        self.begun = datetime.now(UTC).isoformat(timespec="seconds")
        self._cut(0)
        self._head()

    def _head(self) -> None:
        self._append(
            {
                "format": FORMAT,
                "key": self.key,
                "begun": self.begun,
                "run_id": self.run_id,
                "files": self._files,
            }
        )

    def in_run(self, run_id: str) -> None:
        self.run_id = run_id
        self._cut(0)
        self._head()

    def finished(self, state: State) -> None:
        """One chunk more is done."""
        self.state = state
        self._append(asdict(state))

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(size)


def place(command: dict[str, Any]) -> Path:
    """Where the journal of such a command is: another one for whatever changes what is sent, or where to."""
    digest = hashlib.sha256(json.dumps(command, sort_keys=True).encode()).hexdigest()
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "aijobhunt" / f"ingest-{digest[:24]}.ndjson"


def identity(paths: list[str]) -> list[list[Any]] | None:
    """What tells whether files are still the same; nothing if one is no file to be read twice."""
    found: list[list[Any]] = []
    for path in paths:
        if path == "-" or not Path(path).is_file():
            return None
        about = Path(path).stat()
        found.append([str(Path(path).resolve()), about.st_size, about.st_mtime_ns])
    return found
