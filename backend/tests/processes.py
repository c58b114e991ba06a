"""The app in a process of its own, as `aijobhunt serve` runs it: to be ended, killed and started again."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class AppProcess:
    url: str
    process: subprocess.Popen[bytes]
    log: IO[str]

    def logged(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def await_answer(self, path: str = "/readyz") -> float:
        """Wait until it answers 2xx there; how many seconds that took."""
        began = time.monotonic()
        while self.process.poll() is None and time.monotonic() < began + START_SECONDS:
            with suppress(httpx.TransportError):
                if httpx.get(self.url + path).is_success:
                    return time.monotonic() - began
            time.sleep(0.02)
        raise AssertionError(f"No answer at {path}. The app wrote:\n{self.logged()}")


@contextmanager
def app_process(environment: dict[str, str], *, workers: int = 1) -> Iterator[AppProcess]:
    """Run the app until the block ends, on loopback; it may not be ready yet."""
    port = free_port()
    command = [sys.executable, "-m", "backend.cli", "serve"]
    command += ["--host", HOST, "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=os.environ | environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield AppProcess(f"http://{HOST}:{port}", process, log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
