"""Cells read: money, dates, text and lists as boards write them, and what is refused rather than guessed."""

import csv
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.reading import Unreadable, dates, lists, money, text
from backend.reading.currencies import currency


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("123462.75", 123462.75, 123462.75),
        ("60000", 60000, 60000),
        ("1e+05", 100000, 100000),
        ("$120,000 - $150,000", 120000, 150000),
        ("120k–150k €", 120000, 150000),
        ("120-150k", 120000, 150000),
        ("$1.2M", 1200000, 1200000),
        ("1.200,50 EUR", 1200.5, 1200.5),
        ("1.234.567", 1234567, 1234567),
        ("45 000 € brut", 45000, 45000),
        ("100\u00a0000 - 120\u202f000 PLN", 100000, 120000),
        ("120'000 CHF", 120000, 120000),
        ("12,00,000 INR", 1200000, 1200000),
        ("£45,000 per annum", 45000, 45000),
        ("$60K/yr - $80K/yr + bonus", 60000, 80000),
        ("between £40k and £50k", 40000, 50000),
        ("from £30k", 30000, None),
        ("100k+", 100000, None),
        ("up to 50,000 EUR", None, 50000),
    ],
)
def test_a_salary_is_read_as_it_is_written(written: str, low: float | None, high: float | None) -> None:
    pay = money.pay(written)

    assert pay
    assert (pay.low, pay.high) == (low, high)


@pytest.mark.parametrize("nothing", ["", " ", "-", "N/A", "null", "Competitive", "not disclosed"])
def test_no_salary_is_absent(nothing: str) -> None:
    assert money.pay(nothing) is None


@pytest.mark.parametrize(
    "written",
    [
        "lots",
        "12 LPA",
        "-5",
        "1,2,3",
        "1,,000",
        "12.34.56",
        "1 or 2",
        "$100k + $10k",
        "1 - 2 - 3",
        "9" * 400,
        "٣",
    ],
)
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(Unreadable):
        money.pay(written)


@pytest.mark.parametrize("written", ["$45/hour", "45 USD per hour", "3.000,00 € monthly", "£500 a day"])
def test_an_hour_is_not_taken_for_a_year(written: str) -> None:
    with pytest.raises(money.OtherPeriod, match="never converted"):
        money.pay(written)


def test_thousands_or_decimals_is_asked_and_not_guessed() -> None:
    with pytest.raises(Unreadable, match="decimal:=comma"):
        money.pay("45.000")

    assert money.number("45.000", ",") == 45000
    assert money.number("45.125", ".") == 45.125


@pytest.mark.parametrize(
    ("written", "currencies"),
    [
        ("£45k", {"GBP"}),
        ("45 EUR", {"EUR"}),
        ("US$90,000", {"USD"}),
        ("$90,000 CAD", {"CAD"}),
        ("45000", set()),
    ],
)
def test_the_currency_is_the_one_that_is_written(written: str, currencies: set[str]) -> None:
    pay = money.pay(written)

    assert pay
    assert pay.currencies == currencies


def test_a_sign_of_many_currencies_stays_one_of_many() -> None:
    assert {"USD", "CAD"} < currency("$")
    assert currency("¥") == {"JPY", "CNY"}


def test_two_currencies_are_refused() -> None:
    with pytest.raises(Unreadable, match="More than one currency"):
        money.pay("£40,000 to €50,000")


@given(st.one_of(st.text(), st.text(string.digits + " .,-–kKmM€$£+'"), st.none(), st.booleans(), st.floats()))
def test_reading_money_ends_in_a_sum_or_a_reason(written: object) -> None:
    try:
        pay = money.pay(written)
    except Unreadable:
        return
    assert pay is None or (pay.low, pay.high) != (None, None)


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_every_plain_sum_is_read_as_what_it_is(sum_: object) -> None:
    pay = money.pay(str(sum_))

    assert pay
    assert pay.low == float(str(sum_))


@given(st.integers(min_value=0, max_value=10**9))
def test_thousands_may_be_set_apart(amount: int) -> None:
    for written in (f"{amount:,}", f"{amount:,}.00", f"{amount:_}".replace("_", " ")):
        pay = money.pay(written)

        assert pay
        assert pay.high == amount


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-21T19:50:28Z", "2026-01-21T19:50:28Z"),
        ("2026-01-26 12:41:51", "2026-01-26T12:41:51Z"),
        ("2026-01-23T19:20:05+00:00", "2026-01-23T19:20:05Z"),
        ("2026-01-21T19:50:28-0800", "2026-01-22T03:50:28Z"),
        ("2026-01-21T19:50:28.123456789+05:30", "2026-01-21T14:20:28.123456Z"),
        ("2026-01-21", "2026-01-21T00:00:00Z"),
        ("20260121", "2026-01-21T00:00:00Z"),
        ("2026/1/5", "2026-01-05T00:00:00Z"),
        ("Jan 21, 2026", "2026-01-21T00:00:00Z"),
        ("January 21st, 2026 5:30 PM", "2026-01-21T17:30:00Z"),
        ("Jan 21, 2026 at 12:30 am", "2026-01-21T00:30:00Z"),
        ("Thursday, 22 January 2026", "2026-01-22T00:00:00Z"),
        ("Wed, 21 Jan 2026 19:50:28 +0000", "2026-01-21T19:50:28Z"),
        ("Wed, 21 Jan 2026 14:50:28 EST", "2026-01-21T19:50:28Z"),
        ("21/01/2026", "2026-01-21T00:00:00Z"),
        ("01/21/2026", "2026-01-21T00:00:00Z"),
        ("03.04.2026", "2026-04-03T00:00:00Z"),
        (1768995028, "2026-01-21T11:30:28Z"),
        ("1768995028123", "2026-01-21T11:30:28.123000Z"),
    ],
)
def test_a_date_is_read_in_whatever_shape(written: object, moment: str) -> None:
    assert dates.moment(written) == moment


@pytest.mark.parametrize(
    "written",
    [
        "3 days ago",
        "2026-02-30",
        "13/13/2026",
        "12:30",
        "Jan 2026",
        "5",
        True,
        -1,
        1e300,
        "2026-01-21 25:00",
        "2026-01-21 10:00 XYZ",
        "0001-01-01T00:00:00+14:00",
        "21/01/26",
    ],
)
def test_what_is_no_date_is_refused(written: object) -> None:
    with pytest.raises(Unreadable):
        dates.moment(written)


def test_day_or_month_is_asked_and_not_guessed() -> None:
    with pytest.raises(Unreadable, match="Day or month first"):
        dates.moment("03/04/2026")

    assert dates.moment("03/04/2026", "day first") == "2026-04-03T00:00:00Z"
    assert dates.moment("03/04/2026", "month first") == "2026-03-04T00:00:00Z"
    assert dates.moment("21/01/26 08h", "%d/%m/%y %Hh") == "2026-01-21T08:00:00Z"


@given(st.one_of(st.text(), st.text(string.digits + "-/.: TZ+"), st.integers(), st.floats(), st.booleans()))
def test_reading_a_date_ends_in_a_moment_or_a_reason(written: object) -> None:
    try:
        moment = dates.moment(written)
    except Unreadable:
        return
    assert moment is None or moment.endswith("Z")


@given(st.datetimes())
def test_every_moment_is_read_back(moment: object) -> None:
    assert dates.moment(str(moment)) == f"{moment!s}Z".replace(" ", "T")


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("Lead, Search &amp;#8211; Maps", "Lead, Search – Maps"),
        ("Research &amp;amp;amp; Development", "Research & Development"),
        ("theyâ€™re hiring", "they’re hiring"),
        ("theyâ\x80\x99re hiring", "they’re hiring"),
        ("up.&nbsp;â\x80\x8bWe build", "up. We build"),
        ("they&acirc;&#128;&#153;re hiring", "they’re hiring"),
        ("<p>Close every &lt;div&gt;</p>", "Close every <div>"),
        ("CafÃ© â\x80\x93 now", "Café – now"),
        ("two\u00a0\u00a0spaces", "two spaces"),
        ("<b>Bold</b> move", "Bold move"),
        ("nul\x00 and soft\u00adhyphen", "nul and softhyphen"),
    ],
)
def test_dirt_is_taken_off(dirty: str, clean: str) -> None:
    assert text.line(dirty) == clean


def test_paragraphs_and_list_items_have_a_line_each() -> None:
    page = "<p>We\n build <b>maps</b>.</p><ul class='x'><li>Go</li>\n<li>C &amp; C++</li></ul>Apply<br/>now"

    assert text.prose(page) == "We build maps.\n- Go\n- C & C++\nApply\nnow"
    assert text.prose(page.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")) == text.prose(
        page
    )


def test_script_and_style_are_not_text() -> None:
    assert text.prose("<style>p {}</style><p>Hello</p><script>alert('<p>')</script>") == "Hello"


@pytest.mark.parametrize(
    "clean",
    [
        "List<String> where a <b and c> d",
        "?a=1&copy=2&section=3",
        "AT&T; and R&D",
        "Zürich – “naïve” façade, Škoda, Ðapps, 日本語, ＡＢＣ",
        "Ünal Österreich ÅÄÖ Ærø",
        "1 < 2 & 3 > 2",
        "First\n\n  - second\n  - third",
    ],
)
def test_clean_text_stays_as_it_is(clean: str) -> None:
    assert text.prose(clean) == clean


@given(st.text(string.ascii_letters + string.digits + " .,:;!?'\"()/-+#\n"))
def test_plain_text_stays_as_it_is(clean: str) -> None:
    assert text.prose(clean).split() == clean.split()


@given(st.text())
@example("<p " * 2000)
@example("<!--" * 2000 + "<p>")
@example("&" * 5000)
def test_any_text_can_be_read(whatever: str) -> None:
    assert isinstance(text.prose(whatever), str)
    assert "\n" not in text.line(whatever)


@given(st.text(string.ascii_letters, min_size=1), st.sampled_from(["latin-1", "cp1252"]))
def test_letters_decoded_by_the_wrong_table_come_back(word: str, table: str) -> None:
    meant = f"{word}’s – “{word}”…"
    # Python leaves out the five letters that cp1252 does not have; browsers read them as latin-1 does.
    broken = "".join(bytes((byte,)).decode(table, "ignore") or chr(byte) for byte in meant.encode())

    assert text.line(broken) == meant


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("python; SQL;Python ;", ["python", "SQL"]),
        ("Python, SQL", ["Python", "SQL"]),
        ("Research, Design; Data &amp;amp; AI", ["Research, Design", "Data & AI"]),
        ("a|b|a", ["a", "b"]),
        ('["x, y", "z"]', ["x, y", "z"]),
        ("['x', 'y']", ["x", "y"]),
        ("<ul><li>Go</li><li>Rust</li></ul>", ["Go", "Rust"]),
        (["Go", " go ", ""], ["Go"]),
        ("", None),
        ([], None),
    ],
)
def test_a_list_has_each_word_once(written: object, words: list[str] | None) -> None:
    assert lists.words(written) == words


def test_the_separator_can_be_told_and_words_dropped() -> None:
    assert lists.words("Go/Rust/Remote", "/", ("remote",)) == ["Go", "Rust"]


@pytest.mark.parametrize("written", [5, True, {"a": 1}, [["a"]]])
def test_what_is_no_list_is_refused(written: object) -> None:
    with pytest.raises(Unreadable):
        lists.words(written)


def test_the_csv_module_is_not_left_with_a_limit_that_others_trip_over() -> None:
    assert csv.field_size_limit() >= 131_072
