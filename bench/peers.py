"""Who is asked: how each server is started, known to be ready, and ended."""

import http.client
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0

Command = Callable[[int], list[str]]


class PeerFailed(RuntimeError):
    """A server could not be started, or ended by itself."""


def uvicorn(*app: str) -> Command:
    """One process on uvloop and httptools, without an access log: the same for all that run on it."""

    def command(port: int) -> list[str]:
        serve = ["uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        return [*serve, "--log-level", "warning", "--host", HOST, "--port", str(port), *app]

    return command


def gunicorn(app: str) -> Command:
    """One process of eight threads."""

    def command(port: int) -> list[str]:
        serve = ["gunicorn", "--workers", "1", "--threads", "8", "--no-control-socket"]
        return [*serve, "--log-level", "warning", "--bind", f"{HOST}:{port}", app]

    return command


@dataclass(frozen=True)
class Peer:
    key: str
    title: str
    command: Command | None
    """The arguments of `python -m` that serve it on a port; None for what needs no server."""
    needs: tuple[str, ...] = ()
    """Packages that are installed for it alone."""
    ready: str = "/jobs/?limit=1"
    """A path that answers 200 as soon as it is ready."""
    environment: Mapping[str, str] = field(default_factory=dict)


EVE = ("eve", "gunicorn")
APP = ("--factory", "backend.app.main:create_app")

PEERS = (
    Peer("motor", "Motor alone, no HTTP", None),
    Peer("minimal", "minimal FastAPI + Motor", uvicorn("bench.minimal:app")),
    Peer("eve", "Eve", gunicorn("bench.eve:create_app()"), needs=EVE),
    Peer("eve-best", "Eve at its best", gunicorn("bench.eve:create_app(at_its_best=True)"), needs=EVE),
    Peer("app", "this app", uvicorn(*APP), ready="/readyz"),
    Peer(
        "app-pymongo",
        "this app, MONGO_DRIVER=pymongo",
        uvicorn(*APP),
        ready="/readyz",
        environment={"MONGO_DRIVER": "pymongo"},
    ),
)
BY_KEY = {peer.key: peer for peer in PEERS}


def missing(peers: Sequence[Peer]) -> list[str]:
    """Packages that are not installed."""
    needed = [name for peer in peers for name in peer.needs]
    return [name for name in needed if importlib.util.find_spec(name) is None]


@dataclass(frozen=True)
class Server:
    port: int
    pid: int


@contextmanager
def serving(peer: Peer, uri: str, database: str) -> Iterator[Server | None]:
    """Serve it until the block ends, if it is served at all."""
    if peer.command is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *peer.command(port)],
            cwd=ROOT,
            env={**os.environ, "MONGODB_URI": uri, "PROD_DB": database, **peer.environment},
            stdout=log,
            stderr=log,
            # Ctrl-C is for the benchmark; it ends what it started.
            start_new_session=True,
        )
        try:
            if not is_ready(process, port, peer.ready):
                log.seek(0)
                said = log.read().decode(errors="replace")[-4000:]
                raise PeerFailed(f"{peer.title} did not start:\n{said}")
            yield Server(port, process.pid)
        finally:
            end(process)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def is_ready(process: subprocess.Popen[bytes], port: int, path: str) -> bool:
    """Wait for a 200; False if none came."""
    give_up = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
