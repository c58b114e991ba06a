"""The embedded MongoDB: found, started, shared, and ended however its owner ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest.mock import Mock

import pytest
from pymongo import MongoClient

from backend import mongod

ROOT = Path(mongod.__file__).parents[1]
OWNER = """
import sys
from pathlib import Path
from backend import mongod
with mongod.running(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def installed() -> None:
    try:
        mongod.find_mongod()
    except mongod.MongodUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def data_dir(installed: None, tmp_path: Path) -> Path:
    return tmp_path / "with spaces" / ("long" * 40) / "ünïcödé"


@pytest.fixture(scope="module")
def server(installed: None) -> Iterator[mongod.Server]:
    with mongod.temporary() as server:
        yield server


def connected(uri: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(uri, serverSelectionTimeoutMS=5000)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    return mongod._born(pid) is not None


@contextmanager
def owner_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process which serves the directory until it is told to stop, or killed."""
    command = [sys.executable, "-c", OWNER, str(data_dir)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as owner:
        try:
            assert owner.stdout
            assert owner.stdout.readline() == "ready\n"
            yield owner
        finally:
            owner.kill()


def test_data_outlives_a_restart(data_dir: Path) -> None:
    with mongod.running(data_dir) as first, connected(first.uri) as client:
        client.test.notes.insert_one({"_id": 1})
    assert not is_alive(first.pid)

    with mongod.running(data_dir) as second, connected(second.uri) as client:
        assert client.test.notes.count_documents({}) == 1
    assert not is_alive(second.pid)


def test_what_was_acknowledged_survives_a_killed_mongod(data_dir: Path) -> None:
    with mongod.running(data_dir) as first:
        with connected(first.uri) as client:
            client.test.notes.insert_many({"_id": n} for n in range(100))
        os.kill(first.pid, signal.SIGKILL)
        assert eventually(lambda: not is_alive(first.pid))

        with mongod.running(data_dir) as second, connected(second.uri) as client:
            assert second.pid != first.pid
            assert client.test.notes.count_documents({}) == 100


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
def test_mongod_dies_with_its_killed_owner(data_dir: Path) -> None:
    with owner_process(data_dir) as owner:
        pid = json.loads((data_dir / "server.json").read_text())["pid"]
        assert is_alive(pid)

        owner.kill()

        assert eventually(lambda: not is_alive(pid))
    assert mongod.find_running(data_dir) is None


def test_a_mongod_whose_owner_is_dead_is_replaced(data_dir: Path) -> None:
    state_file = data_dir / "server.json"
    with mongod.running(data_dir) as orphan:
        with connected(orphan.uri) as client:
            client.test.notes.insert_one({"_id": 1})
        # A later process with the owner's number is not the owner.
        state_file.write_text(json.dumps(json.loads(state_file.read_text()) | {"owner_born": "0"}))

        with mongod.running(data_dir) as server, connected(server.uri) as client:
            assert not is_alive(orphan.pid)
            assert client.test.notes.count_documents({}) == 1


def test_a_second_start_shares_the_server_and_leaves_it_running(data_dir: Path) -> None:
    with owner_process(data_dir) as owner:
        with mongod.running(data_dir) as shared:
            assert mongod.find_running(data_dir) == shared.uri
        with connected(shared.uri) as client:
            assert client.admin.command("ping")["ok"]

        owner.communicate()

        assert owner.returncode == 0
        assert not is_alive(shared.pid)


def test_of_those_who_start_at_once_one_starts_and_the_others_share(data_dir: Path) -> None:
    together = Barrier(4)

    def start(_: int) -> mongod.Server:
        with mongod.running(data_dir) as server:
            together.wait(30)
            return server

    with ThreadPoolExecutor(4) as starters:
        assert len(set(starters.map(start, range(4)))) == 1


def test_a_running_server_is_found_from_anywhere_until_it_stops(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mongod.find_running(data_dir) is None
    data_dir.mkdir(parents=True)
    monkeypatch.chdir(data_dir.parent)
    with mongod.running(Path(data_dir.name)) as server:
        monkeypatch.chdir(ROOT)
        assert mongod.find_running(data_dir) == server.uri
    assert mongod.find_running(data_dir) is None


@pytest.mark.usefixtures("installed")
def test_a_temporary_server_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with mongod.temporary() as server:
        assert any(tmp_path.iterdir())

    assert not any(tmp_path.iterdir())
    assert not is_alive(server.pid)


def test_it_listens_on_loopback_only(server: mongod.Server) -> None:
    socket.create_connection(("127.0.0.1", server.port)).close()
    # On Linux all of 127/8 is loopback: whoever listens everywhere answers there too.
    for elsewhere in ("127.0.0.2", "::1"):
        with pytest.raises(OSError, match=r"refused|unreachable|assign|supported"):
            socket.create_connection((elsewhere, server.port), timeout=2)


def test_transactions_work(server: mongod.Server) -> None:
    with connected(server.uri) as client, client.start_session() as session:
        notes = client.test.notes
        with session.start_transaction():
            notes.insert_one({"_id": "kept"}, session=session)
        with session.start_transaction():
            notes.insert_one({"_id": "dropped"}, session=session)
            session.abort_transaction()

        assert notes.distinct("_id") == ["kept"]


def test_the_server_has_the_limits_it_was_given(server: mongod.Server) -> None:
    with connected(server.uri) as client:
        given = client.admin.command("getParameter", "*")
        cache = client.admin.command("serverStatus")["wiredTiger"]["cache"]

    assert given["transactionLifetimeLimitSeconds"] == 10
    assert given["diagnosticDataCollectionEnabled"] is False
    assert cache["maximum bytes configured"] == 256 * 2**20


def test_ctrl_c_in_the_terminal_does_not_reach_it(server: mongod.Server) -> None:
    assert os.getsid(server.pid) != os.getsid(0)


@pytest.mark.usefixtures("installed")
def test_it_outlives_the_thread_that_started_it() -> None:
    with ExitStack() as stack:
        with ThreadPoolExecutor(1) as short_lived:
            server = short_lived.submit(stack.enter_context, mongod.temporary()).result()

        with connected(server.uri) as client:
            assert client.admin.command("ping")["ok"]


@pytest.mark.usefixtures("installed")
def test_the_signal_handlers_of_the_caller_are_left_alone() -> None:
    def handlers() -> list[object]:
        return [signal.getsignal(number) for number in sorted(signal.valid_signals())]

    before = handlers()
    with mongod.temporary():
        assert handlers() == before
    assert handlers() == before


@pytest.mark.usefixtures("installed")
def test_a_port_taken_at_the_last_moment_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        found = Mock(side_effect=[taken, mongod._free_port(0)])
        monkeypatch.setattr(mongod, "_free_port", found)

        with mongod.temporary() as server, connected(server.uri) as client:
            assert server.port != taken
            assert client.admin.command("ping")["ok"]


def test_a_silent_stranger_on_the_old_port_delays_nothing(data_dir: Path) -> None:
    with mongod.running(data_dir) as first:
        pass
    with socket.create_server(("127.0.0.1", first.port)):
        began = time.monotonic()
        with mongod.running(data_dir) as second:
            # mongod itself would wait for thirty seconds.
            assert time.monotonic() - began < 15
            assert second.port != first.port


def test_a_mongod_that_does_not_start_says_why(data_dir: Path) -> None:
    with (
        pytest.raises(mongod.MongodFailed, match=r"exit code 1\. .*\n.*cacheSizeGB must be"),
        mongod.running(data_dir, cache_gb=0.1),
    ):
        pass

    assert mongod.find_running(data_dir) is None


def test_without_any_mongod_the_message_says_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongod, "_from_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(mongod.MongodUnavailable) as caught:
        mongod.running(tmp_path / "data").__enter__()

    assert mongod.WHEEL in str(caught.value)
    for remedy in ("MONGODB_URI", "PATH", "docker compose up"):
        assert remedy in str(caught.value)


@pytest.fixture
def incapable(tmp_path: Path) -> Iterator[Path]:
    """A mongod which needs two libraries that are on no host."""
    real = mongod._from_wheel()
    if not real:
        pytest.skip("the wheel is not installed")
    program = real.read_bytes()
    for library in (b"libcurl.so.4", b"liblzma.so.5"):
        program = program.replace(library + b"\0", library[:-1] + b"x\0")
    path = tmp_path / "incapable"
    path.write_bytes(program)
    path.chmod(0o755)
    yield path
    path.unlink()


def test_every_missing_library_is_named(incapable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongod, "_from_wheel", lambda: incapable)
    monkeypatch.setattr(mongod, "_from_path", lambda: None)

    with pytest.raises(mongod.MongodUnavailable) as caught:
        mongod.find_mongod()

    for fact in ("libcurl.so.x", "liblzma.so.x", "MONGODB_URI", "PATH", "docker compose up"):
        assert fact in str(caught.value)


def test_where_libraries_are_missing_the_mongod_on_path_is_taken(
    incapable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = tmp_path / "bin" / "mongod"
    on_path.parent.mkdir()
    shutil.copy2(sys.executable, on_path)
    monkeypatch.setattr(mongod, "_from_wheel", lambda: incapable)
    monkeypatch.setenv("PATH", str(on_path.parent))

    assert mongod.find_mongod() == on_path


def test_what_is_no_program_is_no_mongod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "mongod"
    fake.write_bytes(b"\x7fELF of another machine")
    fake.chmod(0o755)
    monkeypatch.setattr(mongod, "_from_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(mongod.MongodUnavailable, match="cannot run here"):
        mongod.find_mongod()


def test_importing_it_loads_no_driver_and_no_framework() -> None:
    report = "import sys, backend.mongod; print(*sys.modules)"
    command = [sys.executable, "-c", report]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert not {"pymongo", "motor", "fastapi", "backend.app"} & set(loaded.split())
