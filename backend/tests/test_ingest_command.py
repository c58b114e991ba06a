"""`aijobhunt ingest`: what it sends, what it says, its exit status, how it goes on after an interruption."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha512
from pathlib import Path
from typing import Any, get_args

import pytest
from pymongo import MongoClient
from rich.console import Console

from backend.app.models.interactions import InteractionType
from backend.cli import main
from backend.cli.arguments import transfers
from backend.cli.progress import Bar, Reporter, reporter
from backend.reading import KINDS, Form
from backend.tests import samples
from backend.tests.processes import app_process
from backend.tests.stand_in import PATIENCE, StandIn, Trouble, standing_in

ROOT = Path(__file__).parents[2]
FAILING = Trouble(status=500, code="internal")

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of one's own, journals included."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def say(
    home: Path,
    server: StandIn,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Say:
    """Type a command: its exit status, what it printed, what it complained of."""
    monkeypatch.setenv("AIJOBHUNT_URL", server.url)

    def typed(*words: str) -> tuple[int, str, str]:
        status = main(words)
        out, err = capsys.readouterr()
        return status, out, err

    return typed


def job(number: int, **changes: Any) -> dict[str, Any]:
    return {"external_id": f"job-{number}", "title": "Engineer", **changes}


def write(name: str, items: list[dict[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(item) + "\n" for item in items))
    return name


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def journals() -> list[Path]:
    return list(Path("state").rglob("*.ndjson"))


BAD = {"external_id": "bad"}


# What is sent


def test_what_can_be_typed_is_what_can_be_read_and_stored() -> None:
    assert transfers.KINDS == KINDS
    assert get_args(Form) == transfers.FORMS
    assert get_args(InteractionType) == transfers.INTERACTION_TYPES


def test_files_of_all_kinds_are_sent(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1), job(2)])
    Path("b.json").write_text(json.dumps([job(3)]))
    Path("c.csv").write_text("external_id,title\njob-4,Engineer\n")
    Path("d.ndjson.gz").write_bytes(gzip.compress(json.dumps(job(5)).encode()))

    status, out, _ = say("ingest", "jobs", "a.ndjson", "b.json", "c.csv", "d.ndjson.gz")

    assert status == 0
    assert out == "4 files: 5 items: 5 created\n"
    assert sorted(server.stored) == [(f"job-{number}",) for number in range(1, 6)]


def test_standard_input_is_sent(say: Say, server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(json.dumps(job(1)).encode() + b"\n")

    monkeypatch.setattr(sys, "stdin", Input())
    status, out, _ = say("ingest", "jobs", "-")
    assert (status, out) == (0, "standard input: 1 item: 1 created\n")


def test_columns_are_named_by_a_map_and_by_a_file_that_holds_one(say: Say, server: StandIn) -> None:
    Path("a.csv").write_text("Nummer,Stelle\njob-1,Engineer\n")
    status, _, err = say("ingest", "jobs", "a.csv", "--map", "external_id=Nummer,title=Stelle")
    assert status == 0
    assert server.stored == {("job-1",): job(1)}
    assert "external_id=Nummer" in err


def test_matches_and_interactions_are_sent_to_their_places(say: Say, server: StandIn) -> None:
    pair = {"user_id": "a" * 24, "job_id": "b" * 24}
    write("m.ndjson", [{**pair, "relevancy_score": 0.5}])
    write("i.ndjson", [{**pair, "interaction_type": "viewed"}])

    assert say("ingest", "matches", "m.ndjson")[0] == 0
    assert say("ingest", "interactions", "i.ndjson")[0] == 0

    assert [call.path for call in server.bulk] == ["/job-matches/bulk", "/interactions/bulk"]


def test_options_reach_the_server(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(5)])

    say("ingest", "jobs", "a.ndjson", "--mode", "merge", "--chunk", "2")

    assert [len(call.body) for call in server.bulk] == [2, 2, 1]
    assert {call.query["mode"] for call in server.bulk} == {"merge"}


def test_a_dry_run_says_what_would_happen_and_opens_no_run(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1), BAD])

    status, out, _ = say("ingest", "jobs", "a.ndjson", "--dry-run", "--source", "LinkedIn")

    assert status == 3
    assert "a.ndjson: 2 items: 1 created, 1 rejected (dry run: nothing is changed)" in out
    assert not server.stored
    assert not server.runs
    assert journals() == []


# Exit statuses, and what is said


@pytest.mark.parametrize(("items", "status"), [([job(1)], 0), ([job(1), BAD], 3), ([BAD, BAD], 4), ([], 0)])
def test_the_exit_status_tells_all_some_or_none(items: list[Any], status: int, say: Say) -> None:
    assert say("ingest", "jobs", write("a.ndjson", items))[0] == status


def test_a_program_is_told_the_same(say: Say) -> None:
    write("a.ndjson", [job(1), BAD])
    status, out, _ = say("ingest", "jobs", "a.ndjson", "--json")
    assert status == 3
    assert json.loads(out) == {
        "files": ["a.ndjson"],
        "dry_run": False,
        "summary": {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1},
        "unreadable": 0,
        "rejected_file": None,
        "run": None,
    }


def test_reasons_are_told_with_the_place_and_not_without_end(say: Say) -> None:
    write("a.ndjson", [job(1), *[BAD] * 20])
    _, _, err = say("ingest", "jobs", "a.ndjson")
    lines = err.splitlines()
    assert lines[0] == "rejected: a.ndjson, line 2: /title This field is required"
    assert len(lines) == 11
    assert "--rejected FILE" in lines[-1]


@pytest.mark.parametrize(
    "words",
    [
        ["ingest", "users", "a"],
        ["ingest", "jobs"],
        ["ingest", "jobs", "a", "--chunk", "10001"],
        ["ingest", "jobs", "a", "--url", "localhost"],
        ["ingest", "matches", "a", "--source", "LinkedIn"],
        ["ingest", "jobs", "a", "--source", "A", "--run", "B"],
        ["ingest", "jobs", "a", "--close-anyway"],
        ["ingest", "jobs", "a", "--max-close-ratio", "2"],
        ["ingest", "jobs", "-", "-"],
        ["ingest", "jobs", "a", "--rejected", "a"],
    ],
)
def test_a_wrong_command_line_is_refused_with_status_2(words: list[str], home: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_without_a_server_it_says_how_to_start_one(say: Say) -> None:
    write("a.ndjson", [job(1)])
    status, out, err = say("ingest", "jobs", "a.ndjson", "--url", "http://127.0.0.1:9")
    assert (status, out) == (1, "")
    assert "No answer from http://127.0.0.1:9" in err
    assert "aijobhunt serve" in err
    assert "--url" in err


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1)])
    status, _, err = say("ingest", "jobs", "a.ndjson", "b.ndjson")
    assert status == 1
    assert "b.ndjson cannot be read (No such file or directory)" in err
    assert server.received == []


def test_a_failure_says_what_is_done_and_what_to_do(say: Say, server: StandIn) -> None:
    server.trouble_chunk(1, FAILING)
    write("a.ndjson", [job(number) for number in range(20)])

    status, _, err = say("ingest", "jobs", "a.ndjson", "--chunk", "10")

    assert status == 1
    assert "The server answers 500 internal: It is internal (request abc123)" in err
    assert "10 items: 10 created so far. To go on from there, type the same command again." in err


# What is rejected


def test_rejected_items_can_be_mended_and_sent_again(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1), {**BAD, "company": "Initech"}])
    with Path("a.ndjson").open("a") as file:
        file.write('{"external_id": "torn\n')

    status, out, _ = say("ingest", "jobs", "a.ndjson", "--rejected", "bad.ndjson")

    assert status == 3
    assert "Once it is mended: aijobhunt ingest jobs bad.ndjson" in out
    unfit, torn = read("bad.ndjson")
    assert unfit["company"] == "Initech"
    assert unfit["_rejected"]["place"] == "a.ndjson, line 2"
    assert unfit["_rejected"]["errors"] == [
        {"pointer": "/title", "detail": "This field is required", "code": "missing"}
    ]
    assert torn["_rejected"]["raw"] == '{"external_id": "torn'
    assert torn["_rejected"]["place"] == "a.ndjson, line 3"

    write("bad.ndjson", [{**unfit, "title": "Engineer"}, {**torn, **job(3)}])
    status, out, _ = say("ingest", "jobs", "bad.ndjson")

    assert (status, out) == (0, "bad.ndjson: 2 items: 2 created\n")
    assert server.stored["bad",] == {**BAD, "company": "Initech", "title": "Engineer"}
    assert server.stored["job-3",] == job(3)


def test_what_nobody_has_mended_is_rejected_again_and_nothing_is_lost(say: Say, server: StandIn) -> None:
    Path("a.ndjson").write_text('{"external_id": "torn\n')
    assert say("ingest", "jobs", "a.ndjson", "--rejected", "b.ndjson")[0] == 4

    assert say("ingest", "jobs", "b.ndjson", "--rejected", "c.ndjson")[0] == 4

    (line,) = read("c.ndjson")
    assert line["_rejected"]["raw"] == '{"external_id": "torn'
    assert line["_rejected"]["errors"][0]["code"] == "not_mended"
    assert server.bulk == []


def test_a_value_that_cannot_be_read_is_kept_as_it_stood(say: Say) -> None:
    Path("a.csv").write_text("external_id,title,salary_min\njob-1,Engineer,lots\n")
    assert say("ingest", "jobs", "a.csv", "--rejected", "bad.ndjson")[0] == 4
    (line,) = read("bad.ndjson")
    assert line["salary_range"]["min"] == "lots"
    assert line["_rejected"]["errors"][0]["pointer"] == "/salary_range/min"


def test_what_was_rejected_in_an_earlier_pass_is_forgotten(say: Say) -> None:
    write("a.ndjson", [BAD])
    say("ingest", "jobs", "a.ndjson", "--rejected", "bad.ndjson")
    write("a.ndjson", [job(1)])
    say("ingest", "jobs", "a.ndjson", "--rejected", "bad.ndjson")
    assert read("bad.ndjson") == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is_sent(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1)])
    status, _, err = say("ingest", "jobs", "a.ndjson", "--rejected", "nowhere/bad.ndjson")
    assert status == 1
    assert "nowhere/bad.ndjson cannot be written" in err
    assert server.bulk == []


# Going on


def test_a_second_pass_is_really_sent_and_finds_all_unchanged(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(5)])
    say("ingest", "jobs", "a.ndjson")
    assert journals() == []

    status, out, _ = say("ingest", "jobs", "a.ndjson")

    assert (status, out) == (0, "a.ndjson: 5 items: 5 unchanged\n")
    assert len({call.key for call in server.bulk}) == 2


def test_after_a_failure_the_same_command_sends_only_the_rest(say: Say, server: StandIn) -> None:
    items: list[Any] = [job(number) for number in range(50)]
    items[3] = items[47] = BAD
    write("a.ndjson", items)
    server.trouble_chunk(2, FAILING)
    command = ["ingest", "jobs", "a.ndjson", "--chunk", "10", "--rejected", "bad.ndjson"]
    assert say(*command)[0] == 1
    before = {call.key for call in server.bulk}
    server.received.clear()

    status, out, err = say(*command)

    assert status == 3
    assert "Going on with what was begun" in err
    assert "20 items: 19 created, 1 rejected before" in err
    assert "a.ndjson: 50 items: 48 created, 2 rejected" in out
    assert [call.body[0]["external_id"] for call in server.bulk] == ["job-20", "job-30", "job-40"]
    assert server.bulk[0].key in before
    assert len(read("bad.ndjson")) == 2
    assert journals() == []
    assert set(server.effects.values()) == {1}


def test_another_command_does_not_go_on_with_it(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(20)])
    server.trouble_chunk(1, FAILING)
    assert say("ingest", "jobs", "a.ndjson", "--chunk", "10")[0] == 1

    assert "20 items: 10 created, 10 unchanged" in say("ingest", "jobs", "a.ndjson", "--chunk", "5")[1]


def test_fresh_starts_over(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(20)])
    server.trouble_chunk(1, FAILING)
    say("ingest", "jobs", "a.ndjson", "--chunk", "10")

    _, out, _ = say("ingest", "jobs", "a.ndjson", "--chunk", "10", "--fresh")

    assert out == "a.ndjson: 20 items: 10 created, 10 unchanged\n"


def test_a_file_that_has_changed_is_sent_from_its_beginning(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(20)])
    server.trouble_chunk(1, FAILING)
    say("ingest", "jobs", "a.ndjson", "--chunk", "10")
    write("a.ndjson", [job(number, title="Poet") for number in range(20)])

    _, out, err = say("ingest", "jobs", "a.ndjson", "--chunk", "10")

    assert "have changed since" in err
    assert out == "a.ndjson: 20 items: 10 created, 10 updated\n"


def test_a_journal_with_a_torn_line_loses_that_line_only(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(30)])
    server.trouble_chunk(2, FAILING)
    say("ingest", "jobs", "a.ndjson", "--chunk", "10")
    (journal,) = journals()
    journal.write_bytes(journal.read_bytes()[:-5])
    server.trouble_chunk(2, FAILING)

    assert "10 items: 10 created before" in say("ingest", "jobs", "a.ndjson", "--chunk", "10")[2]
    _, out, err = say("ingest", "jobs", "a.ndjson", "--chunk", "10")

    assert "20 items: 20 created before" in err
    assert out == "a.ndjson: 30 items: 30 created\n"
    assert set(server.effects.values()) == {1}


def test_a_journal_that_is_none_is_started_over(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(20)])
    server.trouble_chunk(1, FAILING)
    say("ingest", "jobs", "a.ndjson", "--chunk", "10")
    (journal,) = journals()
    journal.write_text("[1]\n{}\n")

    assert say("ingest", "jobs", "a.ndjson", "--chunk", "10")[1].startswith("a.ndjson: 20 items")


class Typed:
    """The command in a process of its own, which Ctrl-C can reach."""

    def __init__(self, server: StandIn, home: Path, *words: str) -> None:
        environment = {**os.environ, "XDG_STATE_HOME": str(home / "state"), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "backend.cli", *words, "--url", server.url]
        self.process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(
    how: signal.Signals, server: StandIn, home: Path
) -> None:
    write("a.ndjson", [job(number) for number in range(100)])
    command = ["ingest", "jobs", "a.ndjson", "--chunk", "10"]
    server.trouble_chunk(3, Trouble(held=True))
    typed = Typed(server, home, *command)
    assert server.holding.wait(PATIENCE)
    typed.process.send_signal(how)

    status, out, err = typed.ended()

    assert (status, out) == (130, "")
    assert "created so far. To go on from there, type the same command again." in err
    assert "Traceback" not in err
    assert "never retrieved" not in err
    (journal,) = journals()
    done = len(journal.read_text().splitlines()) - 1
    assert done >= 2
    server.released.set()
    server.received.clear()

    status, out, err = Typed(server, home, *command).ended()

    assert (status, out) == (0, "a.ndjson: 100 items: 100 created\n")
    assert len(server.bulk) == 10 - done
    assert set(server.effects.values()) == {1}
    assert len(server.stored) == 100
    assert journals() == []


def test_the_same_command_twice_at_once_is_refused(server: StandIn, home: Path) -> None:
    write("a.ndjson", [job(1)])
    server.trouble(Trouble(held=True))
    first = Typed(server, home, "ingest", "jobs", "a.ndjson")
    assert server.holding.wait(PATIENCE)

    status, _, err = Typed(server, home, "ingest", "jobs", "a.ndjson").ended()
    server.released.set()

    assert status == 1
    assert "The same command is running already" in err
    assert first.ended()[0] == 0


def test_what_cannot_be_read_twice_says_that_sending_it_again_is_harmless(say: Say, server: StandIn) -> None:
    os.mkfifo("pipe")
    writer = subprocess.Popen(["sh", "-c", f"echo '{json.dumps(job(1))}' > pipe"])
    server.trouble(FAILING)
    status, _, err = say("ingest", "jobs", "pipe")
    writer.wait(PATIENCE)
    assert status == 1
    assert "Send it all again: what is stored already is found unchanged." in err
    assert journals() == []


# Ingest runs


def test_a_source_is_a_run_that_is_completed_at_the_end(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1), BAD])

    status, out, _ = say("ingest", "jobs", "a.ndjson", "--source", "LinkedIn")

    (run,) = server.runs.values()
    assert status == 3
    assert (run["source_platform"], run["status"]) == ("LinkedIn", "completed")
    assert server.bulk[0].query["run_id"] == run["id"]
    assert "The run is complete: 7 postings closed." in out


def test_a_run_that_failed_stays_open_and_goes_on(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(number) for number in range(20)])
    command = ["ingest", "jobs", "a.ndjson", "--chunk", "10", "--source", "LinkedIn"]
    server.trouble_chunk(1, FAILING)
    assert say(*command)[0] == 1
    (run,) = server.runs.values()
    assert run["status"] == "open"

    assert say(*command)[0] == 0

    (run,) = server.runs.values()
    assert run["status"] == "completed"
    assert {call.query["run_id"] for call in server.bulk} == {run["id"]}


def test_a_run_that_has_ended_meanwhile_is_told_with_a_way_out(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1)])
    server.trouble(*[Trouble(status=409, code="run_not_open")] * 2)
    assert "the same command with --fresh" in say("ingest", "jobs", "a.ndjson", "--source", "LinkedIn")[2]
    assert "Name an open run" in say("ingest", "jobs", "a.ndjson", "--run", "a" * 24)[2]


def test_starting_over_aborts_the_run_that_was_open(say: Say, server: StandIn) -> None:
    write("a.ndjson", [job(1)])
    server.trouble(FAILING)
    say("ingest", "jobs", "a.ndjson", "--source", "LinkedIn")

    say("ingest", "jobs", "a.ndjson", "--source", "LinkedIn", "--fresh")

    assert [run["status"] for run in server.runs.values()] == ["aborted", "completed"]


def test_a_run_is_not_completed_while_items_could_not_be_read(say: Say, server: StandIn) -> None:
    Path("a.ndjson").write_text(json.dumps(job(1)) + "\n{torn\n")

    command = ["ingest", "jobs", "a.ndjson", "--source", "LinkedIn", "--rejected", "bad.ndjson"]
    status, out, _ = say(*command, "--mode", "merge")

    (run,) = server.runs.values()
    assert (status, run["status"]) == (3, "open")
    assert "stays open and closes nothing: not all items could be read" in out
    assert f"aijobhunt ingest jobs bad.ndjson --mode merge --run {run['id']}" in out

    assert say("ingest", "jobs", write("mended.ndjson", [job(2)]), "--run", run["id"])[0] == 0
    assert run["status"] == "completed"


def test_a_file_that_ends_before_its_end_never_completes_a_run(say: Say, server: StandIn) -> None:
    items = [job(number, title=sha512(b"%d" % number).hexdigest()) for number in range(5000)]
    whole = gzip.compress("".join(json.dumps(item) + "\n" for item in items).encode())
    Path("a.ndjson.gz").write_bytes(whole[: len(whole) // 2])

    status, out, _ = say("ingest", "jobs", "a.ndjson.gz", "--source", "LinkedIn", "--close-anyway")

    (run,) = server.runs.values()
    assert (status, run["status"]) == (3, "open")
    assert f"a file ended before its end.\nSend it whole with --run {run['id']}" in out
    Path("a.ndjson.gz").write_bytes(whole)
    assert say("ingest", "jobs", "a.ndjson.gz", "--run", run["id"])[0] == 0
    assert run["status"] == "completed"


def test_a_run_is_completed_anyway_if_that_is_wanted(say: Say, server: StandIn) -> None:
    Path("a.ndjson").write_text(json.dumps(job(1)) + "\n{torn\n")
    say("ingest", "jobs", "a.ndjson", "--source", "LinkedIn", "--close-anyway")
    (run,) = server.runs.values()
    assert run["status"] == "completed"


def test_a_crawl_that_would_close_too_many_is_told_and_can_be_meant(say: Say, server: StandIn) -> None:
    server.too_many = {"active": 1000, "would_close": 980}
    write("a.ndjson", [job(1)])
    command = ["ingest", "jobs", "a.ndjson", "--source", "LinkedIn"]

    status, _, err = say(*command)
    assert status == 1
    assert "would close 980 of 1000 active postings. Nothing was closed." in err
    assert "--max-close-ratio 1" in err

    assert say(*command, "--max-close-ratio", "1")[0] == 0
    assert len(server.bulk) == 1


# Progress


def test_without_a_terminal_there_is_no_bar(say: Say) -> None:
    write("a.ndjson", [job(1)])
    _, _, err = say("ingest", "jobs", "a.ndjson")
    assert err == ""


def test_without_a_terminal_a_line_is_said_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 5.0, 11.0, 11.0, 11.0, 15.0])
    told = Reporter(clock=lambda: next(times))
    told.show(500, "500 created", 5, 100)
    told.show(1100, "1,100 created", 11, 100)
    told.show(1500, "1,500 created", 15, 100)
    assert capsys.readouterr().err == "1,100 items, 100/s, 11% of it: 1,100 created\n"


def test_a_terminal_has_a_bar_with_rate_time_left_and_outcomes() -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=160)
    with Bar(terminal, "a.ndjson") as bar:
        bar.show(1000, "1,000 items: 990 created, 10 rejected", 50, 100)
        bar.say("rejected: a.ndjson, line 3: [red] is no title")
        bar._progress.refresh()
    shown = screen.getvalue()
    assert "a.ndjson" in shown
    assert "50%" in shown
    assert "/s" in shown
    assert "-:--:--" in shown or "0:00:" in shown
    assert "990 created, 10 rejected" in shown
    assert "[red] is no title" in shown


def test_progress_is_shown_on_a_terminal_only() -> None:
    assert type(reporter("a")) is Reporter


# With the app itself


@pytest.fixture(scope="module")
def url(mongodb_uri: str, worker_id: str) -> Iterator[str]:
    name = f"aijobhunt_ingest_{worker_id}"
    with MongoClient[dict[str, Any]](mongodb_uri) as mongo:
        mongo.drop_database(name)
        with app_process({"MONGODB_URI": mongodb_uri, "PROD_DB": name}) as app:
            app.await_answer()
            yield app.url
        mongo.drop_database(name)


def test_the_app_takes_a_csv_and_a_second_pass_finds_it_unchanged(say: Say, url: str) -> None:
    lines = [f"csv-{number},Engineer,Initech,Builds &amp; mends.,Berlin" for number in range(25)]
    Path("a.csv").write_text("\n".join(["external_id,title,company,description,location", *lines]))
    command = ["ingest", "jobs", "a.csv", "--chunk", "10", "--url", url]

    assert say(*command)[:2] == (0, "a.csv: 25 items: 25 created\n")
    assert say(*command)[:2] == (0, "a.csv: 25 items: 25 unchanged\n")


def test_the_app_refuses_what_is_unfit_and_takes_it_once_mended(say: Say, url: str) -> None:
    write("a.ndjson", [samples.job(), samples.job(salary_range={"min": -1})])
    command = ["ingest", "jobs", "--url", url]
    assert say(*command, "a.ndjson", "--rejected", "bad.ndjson")[0] == 3

    (bad,) = read("bad.ndjson")
    assert bad["_rejected"]["errors"][0]["pointer"] == "/salary_range/min"
    write("bad.ndjson", [{**bad, "salary_range": {"min": 1}}])
    assert say(*command, "bad.ndjson")[:2] == (0, "bad.ndjson: 1 item: 1 created\n")


def test_a_crawl_closes_what_it_did_not_find_in_the_app(say: Say, url: str) -> None:
    found, gone = samples.job(), samples.job()
    command = ["ingest", "jobs", "--url", url, "--source", "Monster"]
    assert say(*command, write("first.ndjson", [found, gone]))[0] == 0

    status, out, _ = say(*command, write("second.ndjson", [found]))

    assert status == 0
    assert "1 unchanged" in out
    assert "The run is complete: 1 postings closed." in out
