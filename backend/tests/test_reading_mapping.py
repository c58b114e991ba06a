"""What a person says about a file: columns, constants, settings; and what is known without a word."""

import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from backend.app.models.jobs import POSTING
from backend.reading import Columns, Item, Kind, Mapping, Unreadable, open_items, read_mapping
from backend.reading.columns import KNOWN_AS
from backend.reading.fields import KINDS, fields_of


def read(content: str, *said: str, kind: Kind = "jobs") -> list[Item]:
    return list(open_items(io.BytesIO(content.encode()), kind, mapping=read_mapping(kind, *said)))


def one(content: str, *said: str) -> dict[str, Any]:
    (item,) = read(content, *said)
    assert item.fields is not None
    assert item.faults == ()
    return item.fields


def columns(header: str, *said: str, kind: Kind = "jobs") -> Columns:
    found = open_items(io.BytesIO(header.encode()), kind, mapping=read_mapping(kind, *said)).columns
    assert found
    return found


def test_the_names_that_boards_use_are_known() -> None:
    found = columns(
        "Job Title,company_name,Candidate Required Location,TAGS,jobDescription,Apply URL,SalaryMin,Mood"
    )

    assert found.used == {
        "title": "Job Title",
        "company": "company_name",
        "location": "Candidate Required Location",
        "skills_required": "TAGS",
        "description": "jobDescription",
        "source_url": "Apply URL",
        "salary_range.min": "SalaryMin",
    }
    assert found.unused == ("Mood",)
    assert found.missing == ("external_id",)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_known_by_its_own_name(kind: Kind) -> None:
    leaves = [
        path for path in fields_of(kind) if not any(other.startswith(f"{path}.") for other in fields_of(kind))
    ]
    second_names = {field.instead for field in fields_of(kind).values()}

    found = columns(",".join(leaves), kind=kind)

    assert found.used == {path: path for path in leaves if path not in second_names}
    assert set(KNOWN_AS[kind]) <= set(fields_of(kind))


def test_what_is_told_goes_before_what_is_guessed() -> None:
    found = columns("Title,Position,Company,Employer", "title=Position,company=Employer")

    assert found.used == {"title": "Position", "company": "Employer"}
    assert found.unused == ("Title", "Company")


def test_guessing_can_be_left_out_altogether_or_for_one_field() -> None:
    assert columns("Title,Company", "title=Title,guess:=false").used == {"title": "Title"}
    assert columns("Title,Company", "company=").used == {"title": "Title"}


def test_the_parts_of_a_salary_go_before_the_whole() -> None:
    assert columns("Salary,Salary_Min").used == {"salary_range.min": "Salary_Min"}
    assert columns("Salary").used == {"salary_range": "Salary"}


def test_columns_of_one_name_are_told_apart() -> None:
    found = columns("Title,Title,,")

    assert (found.used, found.unused) == ({"title": "Title"}, ("Title (2)",))


def test_a_column_that_is_not_there_is_missed_at_once() -> None:
    with pytest.raises(Unreadable, match="There is no column Positon"):
        columns("Position,Company", "title=Positon")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("titel=Position", "title?"),
        ("titel.prefix:=x", "title?"),
        ("title", "field=Column"),
        ("decimal:=.", "point"),
        ("dates:=whenever", "pattern"),
        ("guess:=perhaps", "bool"),
        ("nowhere.toml", "No such file"),
    ],
)
def test_a_mapping_that_makes_no_sense_says_so(said: str, answer: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_mapping("jobs", said)

    assert answer in str(refusal.value)


def test_a_constant_fills_what_no_column_says() -> None:
    rows = read("title,source_platform\na,\nb,Elsewhere\n", "source_platform:=Board,location:=Oslo")

    assert [item.fields for item in rows] == [
        {"title": "a", "source_platform": "Board", "location": "Oslo"},
        {"title": "b", "source_platform": "Elsewhere", "location": "Oslo"},
    ]


@pytest.mark.parametrize("said", ["is_active:=perhaps", "posted_date:=soon"])
def test_a_constant_that_cannot_be_read_says_so_at_once(said: str) -> None:
    with pytest.raises(Unreadable, match="The value for"):
        read("title\n", said)


def test_words_can_be_dropped_in_a_pair() -> None:
    assert one("Tags\nGo|Remote|Senior\n", "drop:=remote;senior") == {"skills_required": ["Go"]}


def test_a_prefix_keeps_two_sources_apart() -> None:
    assert one("ID\n17\n", "external_id.prefix:=board-") == {"external_id": "board-17"}


def test_a_comma_of_a_name_is_written_twice() -> None:
    assert one('"Where, roughly"\nOslo\n', "location=Where,, roughly") == {"location": "Oslo"}


def test_a_mapping_file_says_the_same_and_more(tmp_path: Path) -> None:
    file = tmp_path / "board.toml"
    file.write_text(
        """
        dates = "day first"
        decimal = "comma"
        separator = "/"
        drop = ["remote"]

        [columns]
        title = "Stelle"
        salary_range.min = "Ab"
        skills_required = "Kann"
        posted_date = "Vom"

        [constants]
        salary_range.currency = "EUR"
        is_active = true

        [prefixes]
        external_id = "de-"
        """
    )
    content = "Stelle;Ab;Kann;Vom;ID\nKoch;30.000,50;Fleisch/Remote/Fisch;03/04/2026;7\n"

    assert one(content, str(file)) == {
        "external_id": "de-7",
        "title": "Koch",
        "skills_required": ["Fleisch", "Fisch"],
        "posted_date": "2026-04-03T00:00:00Z",
        "salary_range": {"min": 30000.5, "currency": "EUR"},
        "is_active": True,
    }
    assert one(content, str(file), "external_id.prefix:=at-,title=")["external_id"] == "at-7"


@pytest.mark.parametrize("content", ["title = ", "[column]\ntitle = 'a'", "[columns]\ntitle = 5"])
def test_a_mapping_file_that_makes_no_sense_says_so(tmp_path: Path, content: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(content)

    with pytest.raises(Unreadable, match="mapping"):
        read_mapping("jobs", str(file))


def test_json_objects_are_mapped_by_path() -> None:
    content = (
        '{"name": "A &amp; B", "firm": {"is": "C"}, "where": [{"in": "D"}], "tags": "x", "mood": 1, "_": 5}\n'
    )
    items = open_items(
        io.BytesIO((content + '{"name": "E"}').encode()),
        mapping=read_mapping("jobs", "title=name,company=firm.is,location=where.0.in"),
    )

    assert [item.fields for item in items] == [
        {"title": "A & B", "company": "C", "location": "D", "skills_required": ["x"]},
        {"title": "E", "company": "", "location": ""},
    ]
    assert items.columns
    assert items.columns.unused == ("mood",)


def test_a_posting_of_the_api_mapped_by_nobody_comes_through_as_it_is() -> None:
    (item,) = open_items(io.BytesIO(orjson.dumps(POSTING)), mapping=Mapping())

    assert item.fields == POSTING


SALARY = "Salary_Min,Salary_Max,Currency\n"


@pytest.mark.parametrize(
    ("cells", "salary"),
    [
        ("60000,70000,", {"min": 60000, "max": 70000}),
        ("60000,,EUR", {"min": 60000, "currency": "EUR"}),
        ("£60k,£70k,", {"min": 60000, "max": 70000, "currency": "GBP"}),
        ("$60k,$70k,", {"min": 60000, "max": 70000}),
        ("$60k,$70k,CAD", {"min": 60000, "max": 70000, "currency": "CAD"}),
        ("70000,60000,", {"min": 70000, "max": 60000}),
        ("0,60000,", {"min": 0, "max": 60000}),
        ("0,0,", None),
        (",,EUR", None),
        (",N/A,", None),
    ],
)
def test_a_salary_is_sent_as_given(cells: str, salary: dict[str, Any] | None) -> None:
    assert one(f"Title,{SALARY}x,{cells}\n").get("salary_range") == salary


@pytest.mark.parametrize(
    ("cells", "pointer", "sent"),
    [
        ("lots,70000,", "/salary_range/min", {"min": "lots", "max": 70000}),
        ("60000 - 70000,,", "/salary_range/min", {"min": "60000 - 70000"}),
        ("£60k,€70k,", "/salary_range/currency", {"min": 60000, "max": 70000}),
        ("£60k,£70k,EUR", "/salary_range/currency", {"min": 60000, "max": 70000}),
        ("¥5000000,,", "/salary_range/currency", {"min": 5000000}),
        ("60000,,Euro", "/salary_range/currency", {"min": 60000, "currency": "Euro"}),
        ("30/hour,40/hour,", "/salary_range", {"min": "30/hour", "max": "40/hour"}),
    ],
)
def test_a_salary_that_cannot_be_read_is_refused_and_kept_to_be_mended(
    cells: str, pointer: str, sent: dict[str, Any]
) -> None:
    (item,) = read(f"Title,{SALARY}x,{cells}\n")

    assert [fault.pointer for fault in item.faults] == [pointer]
    assert item.fields == {"title": "x", "salary_range": sent}


def test_a_salary_by_the_hour_can_be_left_out() -> None:
    assert one("Title,Salary\nx,$30 an hour\n", "other_periods:=omit") == {"title": "x"}


def test_who_has_salaries_without_a_currency_is_told_what_follows() -> None:
    assert "USD" in columns("Salary").notes[0]
    assert columns("Salary,Currency").notes == columns("Salary", "salary_range.currency:=EUR").notes == ()


@pytest.mark.parametrize(
    ("cell", "remote_type"),
    [("yes", "remote"), ("TRUE", "remote"), ("no", None), ("", None), ("Hybrid", "Hybrid")],
)
def test_a_column_remote_may_say_yes_or_what(cell: str, remote_type: str | None) -> None:
    assert one(f"Title,Remote\nx,{cell}\n").get("remote_type") == remote_type


def test_addresses_keep_their_parameters() -> None:
    assert one("Link\nhttps://a.example/?x=1&amp;y=2&copy=3\n") == {
        "source_url": "https://a.example/?x=1&y=2&copy=3"
    }


@pytest.mark.parametrize(
    ("column", "cell"),
    [("is_active", "perhaps"), ("posted_date", "soon"), ("ml_features", "{"), ("active", "2")],
)
def test_an_unreadable_cell_refuses_its_row_alone(column: str, cell: str) -> None:
    items = read(f"Title,{column}\na,{cell}\nb,\n")

    assert [bool(item.faults) for item in items] == [True, False]
    assert cell in items[0].faults[0].detail
    assert items[0].fields
    assert cell in items[0].fields.values()


def test_long_text_is_not_cut() -> None:
    assert one(f"Title\n{'x' * 5000}\n") == {"title": "x" * 5000}
