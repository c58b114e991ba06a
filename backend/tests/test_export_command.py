"""`aijobhunt export`: all of it, also when it breaks off, stops halfway, or nobody listens any more."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backend.cli import main
from backend.client import Retry
from backend.tests.stand_in import PATIENCE, StandIn, Trouble, standing_in

ROOT = Path(__file__).parents[2]
FAILING = Trouble(status=500, code="internal")

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        server.documents = [{"id": f"{number:024x}", "title": f"Job {number}"} for number in range(1, 101)]
        yield server


@pytest.fixture
def say(
    tmp_path: Path, server: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Say:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIJOBHUNT_URL", server.url)
    # A connection that broke is tried again, but nobody waits for that here.
    monkeypatch.setattr("backend.cli.remote.Retry", partial(Retry, first=0.0))

    def typed(*words: str) -> tuple[int, str, str]:
        status = main(words)
        out, err = capsys.readouterr()
        return status, out, err

    return typed


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_all_documents_are_printed_one_a_line(say: Say, server: StandIn) -> None:
    status, out, err = say("export", "jobs")
    assert status == 0
    assert lines(out) == server.documents
    assert err == ""


def test_a_file_has_its_name_once_it_is_whole(say: Say, server: StandIn) -> None:
    status, out, err = say("export", "users", "-o", "users.ndjson")
    assert (status, out) == (0, "")
    assert "users.ndjson: 100 users" in err
    assert lines(Path("users.ndjson").read_text()) == server.documents
    assert [path.name for path in Path().iterdir()] == ["users.ndjson"]


def test_a_name_in_gz_is_written_gzipped(say: Say, server: StandIn) -> None:
    assert say("export", "jobs", "-o", "jobs.ndjson.gz")[0] == 0
    assert lines(gzip.decompress(Path("jobs.ndjson.gz").read_bytes()).decode()) == server.documents


def test_filters_reach_the_server(say: Say, server: StandIn) -> None:
    say("export", "jobs", "--is-active", "any", "--source-platform", "LinkedIn")
    say("export", "interactions", "--user-id", "a" * 24, "--interaction-type", "saved")
    first, second = (call for call in server.received if call.path.endswith("/export"))
    assert first.query == {"is_active": "any", "source_platform": "LinkedIn"}
    assert second.query == {"user_id": "a" * 24, "interaction_type": "saved"}


def test_postings_are_filtered_as_on_their_list(say: Say, server: StandIn) -> None:
    say("export", "jobs", "--filter", "q=data engineer", "--filter", "skill=C++")
    (call,) = (call for call in server.received if call.path.endswith("/export"))
    assert call.query == {"q": "data engineer", "skill": "C++"}


@pytest.mark.parametrize(
    "words",
    [
        ["export", "searches"],
        ["export", "users", "--filter", "q=x"],
        ["export", "jobs", "--filter", "q"],
        ["export", "users", "--is-active", "true"],
        ["export", "jobs", "--user-id", "a" * 24],
        ["export", "jobs", "--resume"],
    ],
)
def test_a_wrong_command_line_is_refused_with_status_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_a_connection_that_breaks_is_no_end(say: Say, server: StandIn) -> None:
    server.lines_until_broken.extend([30, 50])
    status, out, _ = say("export", "jobs")
    assert status == 0
    assert lines(out) == server.documents


@pytest.mark.parametrize("name", ["jobs.ndjson", "jobs.ndjson.gz"])
def test_what_was_interrupted_is_resumed_after_its_last_whole_line(
    name: str, say: Say, server: StandIn
) -> None:
    server.lines_until_broken.append(40)
    server.trouble(None, FAILING, kind="export")
    status, _, err = say("export", "jobs", "-o", name)
    assert status == 1
    assert f"{name}.part is incomplete. To go on, type the same command with --resume." in err
    assert not Path(name).exists()

    status, _, err = say("export", "jobs", "-o", name, "--resume")

    assert status == 0
    assert f"Going on after 40 jobs in {name}.part" in err
    assert f"{name}: 100 jobs" in err
    content = Path(name).read_bytes()
    assert lines((gzip.decompress(content) if name.endswith("gz") else content).decode()) == server.documents
    assert [path.name for path in Path().iterdir()] == [name]


@pytest.mark.parametrize("name", ["jobs.ndjson", "jobs.ndjson.gz"])
def test_a_torn_last_line_is_dropped(name: str, say: Say, server: StandIn) -> None:
    whole = "".join(json.dumps(document) + "\n" for document in server.documents[:60]).encode()
    torn = whole + b'{"id": "0000'
    # A crash leaves a gzip file without its end.
    Path(f"{name}.part").write_bytes(gzip.compress(torn)[:-12] if name.endswith("gz") else torn)

    assert say("export", "jobs", "-o", name, "--resume")[0] == 0

    content = Path(name).read_bytes()
    assert lines((gzip.decompress(content) if name.endswith("gz") else content).decode()) == server.documents


def test_with_nothing_to_resume_it_starts_at_the_beginning(say: Say, server: StandIn) -> None:
    assert say("export", "jobs", "-o", "jobs.ndjson", "--resume")[0] == 0
    assert lines(Path("jobs.ndjson").read_text()) == server.documents


def test_a_file_that_is_no_export_is_not_resumed(say: Say) -> None:
    Path("jobs.ndjson.part").write_text("Dear diary\n")
    status, _, err = say("export", "jobs", "-o", "jobs.ndjson", "--resume")
    assert status == 1
    assert "does not end in a line that was exported" in err


def test_a_place_that_cannot_be_written_is_told(say: Say) -> None:
    status, _, err = say("export", "jobs", "-o", "nowhere/jobs.ndjson")
    assert status == 1
    assert "nowhere/jobs.ndjson cannot be written (No such file or directory)" in err


def test_without_a_server_it_says_how_to_start_one(say: Say) -> None:
    status, _, err = say("export", "jobs", "--url", "http://127.0.0.1:9")
    assert status == 1
    assert "aijobhunt serve" in err


def test_a_reader_that_leaves_is_borne(server: StandIn) -> None:
    server.documents = [{"id": f"{number:024x}", "title": "x" * 1000} for number in range(1, 2001)]
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "export", "jobs", "--url", server.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline().startswith(b'{"id": "000000000000000000000001"')
    process.stdout.close()
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (1, b"")
