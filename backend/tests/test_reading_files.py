"""Files read: CSV, NDJSON and JSON arrays, packed or not, whole or damaged."""

import csv
import gzip
import io
import json
import string
import tracemalloc
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.app.models.bulk import InteractionItem, MatchItem
from backend.app.models.jobs import JobIn
from backend.reading import BROKEN_OFF, Form, Item, Kind, Mapping, Unreadable, open_items, read_mapping

HEADER = "Company,Position,Location,Tags,Description,URL,Salary_Min,Salary_Max,Date,ID"
ROW = (
    "Tove &amp; Sons,Gardener,,soil; Roses,<p>Dig.</p>,https://a.example/1,30000,35000.5,2026-01-21 10:00,17"
)


def read(
    content: bytes | str, kind: Kind = "jobs", form: Form | None = None, mapping: Mapping | None = None
) -> list[Item]:
    packed = content.encode() if isinstance(content, str) else content
    return list(open_items(io.BytesIO(packed), kind, form=form, mapping=mapping))


def fields(content: bytes | str, *said: str, kind: Kind = "jobs") -> list[dict[str, Any] | None]:
    return [item.fields for item in read(content, kind, mapping=read_mapping(kind, *said) if said else None)]


def reasons(items: list[Item]) -> list[str | None]:
    return [item.faults[0].detail if item.faults else None for item in items]


def test_a_row_of_a_job_board_becomes_a_posting() -> None:
    (item,) = read(f"{HEADER}\r\n{ROW}\r\n")

    assert item.fields == {
        "external_id": "17",
        "title": "Gardener",
        "company": "Tove & Sons",
        "description": "Dig.",
        "location": "",
        "skills_required": ["soil", "Roses"],
        "posted_date": "2026-01-21T10:00:00Z",
        "source_url": "https://a.example/1",
        "salary_range": {"min": 30000, "max": 35000.5},
    }
    assert (item.place, item.faults) == ("line 2", ())
    JobIn.model_validate(item.fields)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(sign: str) -> None:
    (found,) = fields(
        f"Title{sign}Company{sign}Description\nChef{sign}Inn{sign}Cook; bake, 1\n".replace("; bake, 1", "")
    )

    assert found == {"title": "Chef", "company": "Inn", "description": "Cook"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_in_another_encoding_reads_the_same(encoding: str) -> None:
    (found,) = fields("Title,Company\nBäcker – früh,Café €\n".encode(encoding))

    assert found == {"title": "Bäcker – früh", "company": "Café €"}


def test_a_spreadsheet_may_say_its_delimiter() -> None:
    assert fields("sep=;\nTitle;Company\na, b;c\n") == [{"title": "a, b", "company": "c"}]


def test_quoted_cells_may_hold_anything() -> None:
    (item,) = read('Title,Description\nx,"a ""b"", c\n\nd"\n')

    assert item.fields == {"title": "x", "description": 'a "b", c\n\nd'}


def test_a_row_of_another_width_is_refused_and_its_line_shown() -> None:
    items = read("Title,Company\na,b\nc\nd,e,f\ng,h,,\n\n\ni,j\n")

    assert reasons(items) == [
        None,
        "1 cell where the header has 2",
        "3 cells where the header has 2",
        None,
        None,
    ]
    assert [item.place for item in items] == ["line 2", "line 3", "line 4", "line 5", "line 8"]
    assert items[1].raw == "c\n"
    assert items[1].fields is None


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row() -> None:
    items = read('Title,Company\na,b\nc,"d\ne,f\n"g"h,i\nj,k\n')

    assert [item.fields and item.fields["title"] for item in items] == ["a", None, "e", None, "j"]
    assert [item.place for item in items] == ["line 2", "line 3", "line 4", "line 5", "line 6"]


def test_a_row_too_long_is_refused_and_the_next_is_read() -> None:
    items = read(f'Title,Company\na,{"x" * 3_000_000}\nb,c\nd,"{"y" * 2_000_000}\ne,f\n')

    assert [item.fields and item.fields["title"] for item in items] == [None, "b", None, "e"]
    assert "1 MiB" in items[0].faults[0].detail


def test_a_file_without_rows_has_no_items() -> None:
    assert read("") == read("Title,Company\n") == read("[]") == read("\n \n") == []


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(CELL, CELL), max_size=5), st.sampled_from([csv.excel, csv.excel_tab]), st.booleans()
)
def test_what_was_written_as_csv_is_read_back(
    rows: list[tuple[str, str]], dialect: type[csv.Dialect], quoted: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, dialect, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([("title", "description"), *rows])

    found = fields(file.getvalue(), "repair:=false")

    # Blanks after a delimiter are dropped: some write them before a quotation mark.
    assert [(item["title"], item["description"].lstrip(" ")) for item in found if item] == [
        (" ".join(title.split()), text.lstrip(" ") if text.strip() else "")
        for title, text in rows
        if title.strip() or text.strip()
    ]


JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(JSON_TEXT, inside, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(JSON_TEXT, JSON, max_size=4), max_size=5), st.booleans())
def test_json_is_taken_exactly_as_it_stands(documents: list[dict[str, Any]], packed: bool) -> None:
    for content in (orjson.dumps(documents), b"\n".join(map(orjson.dumps, documents))):
        assert fields(gzip.compress(content) if packed else content) == documents


def test_whole_numbers_and_fractions_stay_what_they_are() -> None:
    for content in ('[{"a": 1, "b": 1.0, "c": 2.5}]', '{"a": 1, "b": 1.0, "c": 2.5}'):
        (found,) = fields(content)

        assert found
        assert [type(value) for value in found.values()] == [int, float, float]


def test_a_bad_line_does_not_stop_the_others() -> None:
    items = read(b'{"a": 1}\n{"a": \n\n[1]\n"x"\n{"a": NaN}\n{"a": "\xff"}\n{"a": 2}')

    assert [item.fields for item in items] == [{"a": 1}, None, None, None, None, None, {"a": 2}]
    assert [item.place for item in items] == [f"line {number}" for number in (1, 2, 4, 5, 6, 7, 8)]
    assert items[1].raw == '{"a":'
    assert reasons(items)[2] == "Not an object"
    assert [item.fields for item in read('{"a": NaN}\n{"a": 1}')] == [None, {"a": 1}]


def test_a_line_too_long_is_refused_and_the_next_is_read() -> None:
    long = json.dumps({"a": "x" * 1024 * 1024})

    assert [item.fields for item in read(f'{long}\n{{"a": 1}}\n{long}', form="ndjson")] == [
        None,
        {"a": 1},
        None,
    ]


def test_what_could_not_be_sent_is_refused_here() -> None:
    deep = "[" * 400 + "]" * 400
    items = read(f'{{"a": {deep}}}\n{{"a": 1}}')
    (large,) = read(f'[{{"a": "{"x" * 1024 * 1024}"}}]')

    assert [item.fields for item in items] == [None, {"a": 1}]
    assert large.faults[0].code == "too_long"


@pytest.mark.parametrize("bad", ["1e400", "1" * 40, "[" * 5000 + "]" * 5000])
def test_a_bad_element_does_not_stop_the_others(bad: str) -> None:
    assert fields(f'[{{"a": 1}}, {{"a": {bad}}}, {{"a": 2}}]') == [{"a": 1}, None, {"a": 2}]


def test_an_array_that_breaks_is_read_up_to_there() -> None:
    items = read('[{"a": 1}, {"a": 2}, {"a": ')

    assert [item.fields for item in items] == [{"a": 1}, {"a": 2}, None]
    assert items[2].place == "item 3"
    assert "what follows is lost" in items[2].faults[0].detail
    assert items[2].faults[0].code == BROKEN_OFF


def test_an_element_too_large_for_memory_ends_the_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.reading.documents.LARGEST_ELEMENT", 200_000)

    items = read(
        json.dumps([{"a": 1}, *({"b": "y" * 1000} for _ in range(400)), {"a": "x" * 1_000_000}, {"a": 2}])
    )

    assert len(items) == 402
    assert items[-1].fields is None


def test_json_spread_over_lines_is_read_too() -> None:
    spread = json.dumps({"a": {"b": [1]}}, indent=2)

    assert fields(spread) == [{"a": {"b": [1]}}]
    assert fields(f"{spread}\n{spread}") == [{"a": {"b": [1]}}] * 2
    assert fields(f"[{spread},{spread}]") == [{"a": {"b": [1]}}] * 2


def test_the_list_may_stand_inside_an_object() -> None:
    content = json.dumps({"count": 1, "data": {"jobs": [{"title": "A", "company": "B"}]}})

    assert fields(content, "items:=data.jobs") == [{"title": "A", "company": "B"}]
    assert reasons(read(content, mapping=read_mapping("jobs", "items:=results"))) == [
        "There is no list at results, or it is empty"
    ]


def test_a_damaged_gzip_gives_what_was_whole() -> None:
    packed = gzip.compress("\n".join(json.dumps({"a": str(n) * 9}) for n in range(20_000)).encode())

    for broken in (packed[:-2000], packed[:-2000] + b"\0" * 2000):
        items = read(broken)

        assert len(items) > 1000
        assert all(item.fields for item in items[:-1])
        assert "gzip" in items[-1].faults[0].detail
        assert items[-1].faults[0].code == BROKEN_OFF


def test_progress_counts_the_bytes_on_disk(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json.gz"
    file.write_bytes(gzip.compress(orjson.dumps([{"a": "x" * 500}] * 5000)))

    with open_items(file) as items:
        assert (items.form, items.total) == ("json", file.stat().st_size)
        assert len(list(items)) == 5000
        assert items.done == items.total


class Pieces(io.RawIOBase):
    """A pipe: gives what is there, and cannot seek."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._piece or next(self._pieces, b"")
        self._piece = piece[size:]
        return piece[:size]


def pipe(pieces: Iterable[bytes]) -> BinaryIO:
    return cast("BinaryIO", Pieces(pieces))


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b'\xef\xbb\xbf \n{"title": "A"}\n', "ndjson"),
        (b'\n[{"title": "A"}]', "json"),
        (b"\xef\xbb\xbfTitle\nA\n", "csv"),
        (b'{\n "title": "A"}', "json"),
    ],
)
def test_the_form_is_found_out_however_slowly_it_comes(content: bytes, form: Form) -> None:
    for stream in (content, gzip.compress(content)):
        with open_items(pipe(stream[i : i + 1] for i in range(len(stream)))) as items:
            assert (items.form, items.total) == (form, None)
            assert [item.fields for item in items] == [{"title": "A"}]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 1}')))

    with open_items("-") as items:
        assert (items.name, items.total) == ("standard input", None)
        assert [item.fields for item in items] == [{"a": 1}]


def test_the_name_tells_the_form(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("[Title],{Company}\nA,B\n")

    with open_items(file) as items:
        assert items.form == "csv"
        assert items.columns
        assert items.columns.used == {"title": "[Title]", "company": "{Company}"}


def test_a_file_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(Unreadable, match=r"no\.csv cannot be read: No such file"):
        open_items("no.csv")


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b", b"\x1f\x8bnonsense", '[{"a": "é"}]'.encode("utf-16"), b"<html></html>"]
)
def test_what_cannot_be_opened_says_why(content: bytes) -> None:
    with pytest.raises(Unreadable):
        open_items(io.BytesIO(content))


@pytest.mark.parametrize(
    ("begin", "item", "end"),
    [
        (b"", orjson.dumps({"a": "x" * 2000}) + b"\n", b""),
        (b"[", orjson.dumps({"a": "x" * 2000}) + b",", b"{}]"),
        (b"Title,Description\n", b"a," + b"x" * 2000 + b"\n", b""),
    ],
    ids=["ndjson", "array", "csv"],
)
def test_memory_stays_flat(begin: bytes, item: bytes, end: bytes) -> None:
    items = open_items(pipe(chain([begin], repeat(item, 15_000), [end])))
    next(items)
    tracemalloc.start()
    try:
        assert sum(1 for _ in items) >= 14_998
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_matches_and_interactions_come_from_csv_too() -> None:
    (match,) = fields(
        "Email,Job External ID,Score,Reason,Skills Matched\na@b.example,17,87%,Fits,a;b\n", kind="matches"
    )
    (deed,) = fields(
        "user_id,job_id,Action,Date\n665f00000000000000000001,665f10000000000000000001,Viewed,2026-01-21\n",
        kind="interactions",
    )

    assert match == {
        "user_email": "a@b.example",
        "job_external_id": "17",
        "relevancy_score": 0.87,
        "match_reason": "Fits",
        "match_details": {"skills_matched": ["a", "b"]},
    }
    assert deed
    InteractionItem.model_validate(deed)
    MatchItem.model_validate(match)
    assert deed["interaction_type"] == "viewed"


@pytest.mark.parametrize("score", ["0.5", "50%", "5e-1", 0.5, "0,5"])
def test_a_score_is_a_number_or_a_percentage(score: object) -> None:
    content = json.dumps({"score": score, "user_id": 7})

    assert fields(content, "guess:=true", kind="matches") == [{"relevancy_score": 0.5, "user_id": "7"}]


LETTERS = st.text(string.ascii_letters, min_size=1)


@given(
    st.fixed_dictionaries(
        {
            "external_id": LETTERS,
            "title": LETTERS,
            "company": LETTERS,
            "description": LETTERS,
            "location": LETTERS,
            "skills_required": st.lists(LETTERS, min_size=1, unique_by=str.casefold),
        }
    )
)
def test_a_posting_written_as_csv_comes_back(job: dict[str, Any]) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(job))
    writer.writeheader()
    writer.writerow({**job, "skills_required": json.dumps(job["skills_required"])})

    assert fields(file.getvalue()) == [job]
    JobIn.model_validate(job)
