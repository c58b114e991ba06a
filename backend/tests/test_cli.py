"""The command line: what it prints, what it returns, and what is left when it has gone."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from backend import mongod
from backend.app.config import Settings
from backend.app.main import create_app
from backend.cli import main
from backend.cli.check import topology
from backend.cli.server import address

ROOT = Path(__file__).parent.parent.parent
COMMANDS = ("serve", "init-db", "demo", "check", "openapi", "ingest", "export")
PATIENCE = 30.0
NOBODY = "mongodb://ada:s3cret@127.0.0.1:9/?directConnection=true"

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Settings are the defaults, but for the driver under test; a directory of one's own."""
    monkeypatch.chdir(tmp_path)
    for name in set(Settings.model_fields) - {"mongo_driver"}:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


@pytest.fixture
def database(
    mongodb_uri: str, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database[dict[str, Any]]]:
    """What the commands work on: empty, without a single index."""
    name = "aijobhunt_db_test_cli"
    monkeypatch.setenv("MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("PROD_DB", name)
    with MongoClient[dict[str, Any]](mongodb_uri, timeoutMS=10_000) as client:
        client.drop_database(name)
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def embedded(alone: Path) -> None:
    try:
        mongod.find_mongod()
    except mongod.MongodUnavailable as why:
        pytest.skip(str(why))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command: its exit status, what it printed, what it complained of."""

    def typed(*words: str) -> tuple[int, str, str]:
        status = main(words)
        out, err = capsys.readouterr()
        return status, out, err

    return typed


# Help


@pytest.mark.parametrize("words", [(), *((command,) for command in COMMANDS)])
def test_help_shows_examples_and_exit_statuses(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])

    help_text = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"aijobhunt {' '.join(words)}".strip() in help_text.partition("examples:")[2]
    assert "exit status:" in help_text


def test_help_waits_for_no_import_that_takes_long() -> None:
    code = (
        "import sys, backend.cli.arguments as a; a.parser().format_help(); "
        "print({'fastapi', 'pymongo', 'pydantic', 'uvicorn', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["serve", "--port", "65536"],
        ["serve", "--port", "http"],
        ["serve", "--workers", "0"],
        ["serve", "--workers", "2", "--reload"],
    ],
)
def test_a_wrong_command_line_is_refused_with_status_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


# init-db


def test_init_db_says_what_it_made_and_what_was_there(database: Database[Any], say: Say) -> None:
    status, out, _ = say("init-db")
    assert status == 0
    assert "created  users.email_1" in out

    status, out, _ = say("init-db")
    assert status == 0
    assert "present  users.email_1" in out
    assert "created  " not in out
    assert database["users"].index_information()["email_1"]["unique"]


def test_init_db_tells_a_program_the_same(database: Database[Any], say: Say) -> None:
    status, out, _ = say("init-db", "--json")
    report = json.loads(out)
    assert status == 0
    assert report["database"] == database.name
    assert "jobs.external_id_1" in report["created"]
    assert report["present"] == report["conflicts"] == []


def test_init_db_works_on_the_database_that_is_named(database: Database[Any], say: Say) -> None:
    other = f"{database.name}_other"
    try:
        say("init-db", "--database", other)
        assert "email_1" in database.client[other]["users"].index_information()
        assert database.list_collection_names() == []
    finally:
        database.client.drop_database(other)


def test_init_db_names_an_index_in_the_way_and_keeps_it(database: Database[Any], say: Say) -> None:
    database["users"].create_index("email", name="email_1", sparse=True)

    status, out, err = say("init-db")

    assert status == 1
    assert "users: index email_1 has options {'sparse': True}" in err
    assert "jobs.external_id_1" in out
    assert database["users"].index_information()["email_1"]["sparse"]


# check


def test_check_is_content_with_a_database_that_is_ready(database: Database[Any], say: Say) -> None:
    say("init-db")

    status, out, _ = say("check")

    lines = out.splitlines()
    assert status == 0
    assert [line.split()[1] for line in lines] == ["settings", "connection", "server", "replica", "indexes"]
    assert all(line.startswith("ok ") for line in lines)


def test_check_names_the_indexes_that_are_missing(database: Database[Any], say: Say) -> None:
    status, out, _ = say("check", "--json")
    report = json.loads(out)
    assert status == 1
    assert report["ok"] is False
    (problem,) = [check for check in report["checks"] if not check["ok"]]
    assert problem["name"] == "indexes"
    assert "users.email_1" in problem["detail"]
    assert database.list_collection_names() == []


def test_check_names_an_index_in_the_way(database: Database[Any], say: Say) -> None:
    say("init-db")
    database["users"].drop_index("email_1")
    database["users"].create_index("email", name="email_1")

    status, out, _ = say("check")

    assert status == 1
    assert "PROBLEM  indexes      users: index email_1" in out


def test_a_standalone_server_is_a_problem_and_a_cluster_is_not() -> None:
    assert "no transactions" in topology({"isWritablePrimary": True}).detail
    assert not topology({"isWritablePrimary": True}).ok
    assert topology({"msg": "isdbgrid"}).ok
    assert topology({"setName": "rs0", "hosts": ["a:1", "b:1"]}).ok


def test_a_name_that_no_database_can_have_is_reported(database: Database[Any], say: Say) -> None:
    status, _, err = say("init-db", "--database", "a b")
    assert status == 1
    assert "database names cannot contain the character ' '" in err


def test_check_reports_settings_that_do_not_hold(
    alone: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setenv("REQUEST_DEADLINE", "-1")
    status, out, _ = say("check")
    assert status == 1
    assert out.startswith("PROBLEM  settings")
    assert "REQUEST_DEADLINE: Input should be greater than 0" in out


# What goes wrong


def complaint_about(uri: str, command: str) -> str:
    """What a command that fails has to say. Not in this process: PyMongo's asyncio client, when it is closed
    while it waits for a connection, forgets its socket."""
    done = subprocess.run(
        [sys.executable, "-m", "backend.cli", command],
        cwd=ROOT,
        env={**os.environ, "MONGODB_URI": uri, "REQUEST_DEADLINE": "0.3"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", ["init-db", "demo", "check"])
def test_a_database_that_is_away_is_reported(command: str, alone: Path) -> None:
    said = complaint_about(NOBODY, command)
    assert "No MongoDB answers at mongodb://***@127.0.0.1:9" in said
    assert "Traceback" not in said
    assert "s3cret" not in said


def test_a_database_that_says_nothing_is_reported(alone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/?directConnection=true"
        assert "PROBLEM  connection   No MongoDB answers" in complaint_about(uri, "check")


@pytest.mark.parametrize(
    "uri", ["mongodb://ada:s3:cret/@localhost", "http://s3cret", "mongodb://ada:s3cret@:x"]
)
@pytest.mark.parametrize("words", [["check"], ["serve", "--port", "0"]])
def test_an_address_that_is_none_is_reported_without_its_password(
    words: list[str], uri: str, alone: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    monkeypatch.setenv("MONGODB_URI", uri)
    status, out, err = say(*words)
    assert status == 1
    assert "MONGODB_URI is not understood" in out + err
    assert "s3" not in out + err


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://localhost:27017/?replicaSet=rs0", "mongodb://localhost:27017"),
        ("mongodb://a:b@one,two:2/db", "mongodb://***@one,two:2"),
        ("mongodb+srv://a:p@ss@host/?tlsCertificateKeyFilePassword=x", "mongodb+srv://***@host"),
        ("mongodb://a:p?/ss@host/db", "mongodb://***@host"),
        ("localhost:27017", "mongodb://localhost:27017"),
        ("a:b@localhost", "mongodb://***@localhost"),
    ],
)
def test_of_an_address_only_the_hosts_are_shown(uri: str, shown: str) -> None:
    assert address(uri) == shown


def test_without_a_mongod_the_remedies_are_named(
    alone: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    def none() -> Path:
        raise mongod.MongodUnavailable(f"No MongoDB server to start.\n{mongod.REMEDIES}")

    monkeypatch.setattr(mongod, "find_mongod", none)
    status, _, err = say("init-db")
    assert status == 1
    assert "set MONGODB_URI" in err


def test_a_data_directory_that_cannot_be_is_reported(
    embedded: None, alone: Path, monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    (alone / "file").touch()
    monkeypatch.setenv("DATA_DIR", "file")
    status, _, err = say("init-db")
    assert status == 1
    assert "DATA_DIR=file" in err


# openapi


def test_openapi_writes_the_document_of_the_app_without_a_database(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("MONGODB_URI", NOBODY)

    assert main(["openapi", "openapi.json"]) == 0
    capfdbinary.readouterr()
    assert main(["openapi"]) == 0

    printed = capfdbinary.readouterr().out
    assert printed == Path("openapi.json").read_bytes()
    assert json.loads(printed) == create_app(Settings()).openapi()


def test_openapi_bears_a_reader_that_leaves(alone: Path) -> None:
    command = [sys.executable, "-m", "backend.cli", "openapi"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (1, b"")


def test_openapi_says_where_it_cannot_write(alone: Path, say: Say) -> None:
    status, _, err = say("openapi", "nowhere/openapi.json")
    assert status == 1
    assert "nowhere/openapi.json cannot be written (No such file or directory)" in err


# serve


@dataclass
class Serving:
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def find(self, pattern: str) -> str:
        """Wait until it has printed this."""
        until(lambda: re.search(pattern, self.printed) or self.process.poll() is not None)
        found = re.search(pattern, self.printed)
        assert found, self.printed
        return found[1]

    @property
    def url(self) -> str:
        return self.find(r"is up: (http://\S+)/docs")

    @property
    def mongod_port(self) -> int:
        return int(self.find(r"embedded MongoDB at mongodb://127\.0\.0\.1:(\d+)/"))

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(*options: str, output: str = "output", **environment: str) -> Iterator[Serving]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "backend.cli", "serve", *options]
    with Path(output).open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield Serving(process, Path(output))
    finally:
        process.kill()
        process.wait()


def until(come: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_serve_runs_the_app_and_a_mongodb_which_other_commands_share(embedded: None, say: Say) -> None:
    with serving("--port", "0") as app:
        answer = httpx.get(f"{app.url}/readyz")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert "Its data is in data/mongodb" in app.printed
        assert say("check")[0] == 0

        assert app.stop(signal.SIGINT) == 0
        assert is_closed(app.mongod_port)


def test_sigterm_lets_a_request_in_flight_finish(embedded: None) -> None:
    body = b'{"name": "Ada", "email": "ada@example.com"}'
    with serving("--port", "0") as app:
        port = httpx.URL(app.url).port
        assert port
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(
                b"POST /users/ HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body[:10])
            )
            # Answered after it on another connection: the first has been read by then.
            assert httpx.get(f"{app.url}/livez").status_code == 200

            app.process.send_signal(signal.SIGTERM)
            until(lambda: is_closed(port))
            connection.sendall(body[10:])

            assert connection.makefile("rb").readline() == b"HTTP/1.1 201 Created\r\n"
        assert app.process.wait(PATIENCE) == 0
        assert is_closed(app.mongod_port)


def test_killed_with_its_workers_it_leaves_nothing_in_the_way_of_the_next(embedded: None) -> None:
    with serving("--port", "0", "--workers", "2") as killed:
        port = str(httpx.URL(killed.url).port)
        killed.stop(signal.SIGKILL)
    with serving("--port", port, output="next") as app:
        assert httpx.get(f"{app.url}/jobs/").json() == []

        assert app.stop(signal.SIGTERM) == 0
        assert is_closed(int(port))
        assert is_closed(app.mongod_port)


def test_serve_reloads_until_it_is_stopped(embedded: None) -> None:
    with serving("--port", "0", "--reload") as app:
        assert httpx.get(f"{app.url}/readyz").status_code == 200

        assert app.stop(signal.SIGTERM) == 0
        assert is_closed(app.mongod_port)


def test_serve_uses_the_mongodb_that_is_configured(database: Database[Any], alone: Path) -> None:
    with serving("--port", "0") as app:
        made = httpx.post(f"{app.url}/users/", json={"name": "Ada", "email": "ada@example.com"})
        assert made.status_code == 201
        assert database["users"].count_documents({}) == 1
        assert app.stop(signal.SIGTERM) == 0
    assert not (alone / "data").exists()


def test_serve_answers_without_its_database_and_says_so(alone: Path) -> None:
    with serving("--port", "0", MONGODB_URI=NOBODY, REQUEST_DEADLINE="0.2") as app:
        url = app.find(r"answers at (\S+), but is not ready yet")
        assert httpx.get(f"{url}/livez").status_code == 200
        assert "s3cret" not in app.printed
        assert app.stop(signal.SIGTERM) == 0


def test_a_port_that_is_taken_is_named_with_a_way_out(alone: Path, say: Say) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, _, err = say("serve", "--port", str(port))
    assert status == 1
    assert err.startswith(f"aijobhunt serve: Port {port} is taken")
    assert err.count("\n") == 1
    assert not (alone / "data").exists()


def test_a_host_that_is_not_here_is_named(alone: Path, say: Say) -> None:
    status, _, err = say("serve", "--host", "192.0.2.1", "--port", "0")
    assert status == 1
    assert "192.0.2.1" in err
