"""schema.org JobPosting: found wherever it stands, and read as an item."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.app.models.jobs import JobIn
from backend.reading import Item, Unreadable, open_items, read_mapping

POSTING: dict[str, Any] = {
    "@context": "https://schema.org/",
    "@type": "JobPosting",
    "title": "Lighthouse Keeper",
    "description": "&lt;p&gt;Keep it &lt;b&gt;lit&lt;/b&gt;.&lt;/p&gt;&lt;p&gt;Daily.&lt;/p&gt;",
    "identifier": {"@type": "PropertyValue", "name": "Coast", "value": 4711},
    "datePosted": "2026-01-18",
    "hiringOrganization": {"@type": "Organization", "name": "Coast &amp; Co", "sameAs": "https://c.example"},
    "jobLocation": {
        "@type": "Place",
        "address": {"@type": "PostalAddress", "addressLocality": "Skagen", "addressCountry": "DK"},
    },
    "baseSalary": {
        "@type": "MonetaryAmount",
        "currency": "DKK",
        "value": {"@type": "QuantitativeValue", "minValue": 300000, "maxValue": 350000.5, "unitText": "YEAR"},
    },
    "skills": "Patience, Optics",
    "url": "https://c.example/jobs/4711",
}


def read(content: object, *said: str) -> list[Item]:
    text = content if isinstance(content, str) else json.dumps(content)
    mapping = read_mapping("jobs", *said) if said else None
    return list(open_items(io.BytesIO(text.encode()), vocabulary="schema.org", mapping=mapping))


def one(*said: str, **changed: Any) -> dict[str, Any]:
    node = {name: value for name, value in {**POSTING, **changed}.items() if value is not None}
    (item,) = read(node, *said)
    assert item.faults == ()
    assert item.fields is not None
    return item.fields


def faults(**changed: Any) -> list[tuple[str, str]]:
    (item,) = read({**POSTING, **changed})
    return [(fault.pointer, fault.detail) for fault in item.faults]


def test_a_posting_is_read_as_it_stands() -> None:
    assert one() == {
        "external_id": "4711",
        "title": "Lighthouse Keeper",
        "company": "Coast & Co",
        "description": "Keep it lit.\nDaily.",
        "location": "Skagen, DK",
        "skills_required": ["Patience", "Optics"],
        "posted_date": "2026-01-18T00:00:00Z",
        "source_url": "https://c.example/jobs/4711",
        "salary_range": {"min": 300000, "max": 350000.5, "currency": "DKK"},
    }
    JobIn.model_validate(one())


LD = '<script type="application/ld+json">'


@pytest.mark.parametrize(
    "document",
    [
        [POSTING],
        {"@graph": [{"@type": "Organization"}, POSTING]},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": POSTING}]},
        {**POSTING, "@type": ["Thing", "http://schema.org/JobPosting"]},
        f"{json.dumps(POSTING)}\n",
        json.dumps(POSTING, indent=2),
        f"<!doctype html><title>x</title><script>1</script>{LD}{json.dumps(POSTING)}</script>",
        f"<html>{LD}{{</script>{LD}\n<!--\n{json.dumps([{}, POSTING], indent=1)}\n--></script>",
        f"<HTML><SCRIPT id='a' TYPE=application/ld+json>{json.dumps(POSTING)}</SCRIPT>",
        "<p>" + LD + json.dumps(POSTING).replace("Daily.", "Daily.\n") + "</script>",
    ],
)
def test_it_is_found_wherever_it_stands(document: object) -> None:
    found = [item.fields for item in read(document) if item.fields]

    assert found == [one()]


def test_several_in_one_document_are_told_apart() -> None:
    items = read({"@graph": [POSTING, {**POSTING, "title": "Other"}]})

    assert [item.fields and item.fields["title"] for item in items] == ["Lighthouse Keeper", "Other"]
    assert len({item.place for item in items}) == 2


@pytest.mark.parametrize("nothing", ["<html></html>", "{}", [], {"@type": "Person"}])
def test_a_document_without_a_posting_says_so(nothing: object) -> None:
    (item,) = read(nothing)

    assert item.fields is None
    assert "no JobPosting" in item.faults[0].detail


def test_the_others_are_read_when_one_block_is_broken() -> None:
    items = read(f"<html>{LD}{{oops}}</script>{LD}{json.dumps(POSTING)}</script>")

    assert [item.fields is None for item in items] == [True, False]
    assert items[0].raw == "{oops}"


@pytest.mark.parametrize(
    ("identifier", "external_id"),
    [
        ("A-1", "A-1"),
        (["A-1"], "A-1"),
        ({"value": "B"}, "B"),
        (None, POSTING["url"]),
        ({"name": "C"}, POSTING["url"]),
    ],
)
def test_what_the_source_calls_it_is_its_id_or_else_its_address(identifier: object, external_id: str) -> None:
    assert one(identifier=identifier)["external_id"] == external_id


def address(**parts: Any) -> dict[str, Any]:
    return {"@type": "Place", "address": {"@type": "PostalAddress", **parts}}


@pytest.mark.parametrize(
    ("place", "location"),
    [
        (
            address(addressLocality="Bonn", addressRegion="NRW", addressCountry={"name": "Germany"}),
            "Bonn, NRW, Germany",
        ),
        (
            [
                address(addressLocality="Bonn"),
                address(addressLocality="Ulm"),
                address(addressLocality="Bonn"),
            ],
            "Bonn; Ulm",
        ),
        ({"@type": "Place", "name": "The pier"}, "The pier"),
        ({"@type": "Place", "address": "1 Pier Road"}, "1 Pier Road"),
        ("Anywhere", "Anywhere"),
        (None, ""),
    ],
)
def test_places_are_named_by_their_parts(place: object, location: str) -> None:
    assert one(jobLocation=place)["location"] == location


def test_work_from_home_is_remote_and_where_home_may_be_is_the_location() -> None:
    found = one(
        jobLocation=None,
        jobLocationType="TELECOMMUTE",
        applicantLocationRequirements=[
            {"@type": "Country", "name": "Norway"},
            {"@type": "Country", "name": "Sweden"},
        ],
    )

    assert (found["remote_type"], found["location"]) == ("remote", "Norway; Sweden")


@pytest.mark.parametrize(
    ("salary", "expected"),
    [
        ({"currency": "EUR", "value": 50000}, {"min": 50000, "max": 50000, "currency": "EUR"}),
        ({"currency": "EUR", "value": "50.000,50 €"}, {"min": 50000.5, "max": 50000.5, "currency": "EUR"}),
        ({"currency": "EUR", "value": {"minValue": "50000"}}, {"min": 50000, "currency": "EUR"}),
        ({"currency": "eur", "value": {"value": 1.5}}, {"min": 1.5, "max": 1.5, "currency": "EUR"}),
        (
            [{"currency": "EUR", "value": {"value": 2, "unitText": "YEAR"}}],
            {"min": 2, "max": 2, "currency": "EUR"},
        ),
        ({"priceCurrency": "EUR", "price": "3"}, {"min": 3, "max": 3, "currency": "EUR"}),
        ("£45,000 - £50,000", {"min": 45000, "max": 50000, "currency": "GBP"}),
        ({"currency": "EUR"}, None),
        ({"currency": "EUR", "value": {"minValue": None, "unitText": "HOUR"}}, None),
    ],
)
def test_a_salary_of_a_year_is_taken_as_given(salary: object, expected: object) -> None:
    assert one(baseSalary=salary).get("salary_range") == expected


def test_a_salary_by_the_hour_is_refused_or_left_out_but_not_converted() -> None:
    hourly = {"currency": "EUR", "value": {"minValue": 30, "maxValue": 40, "unitText": "HOUR"}}

    ((pointer, detail),) = faults(baseSalary=hourly)
    assert (pointer, "never converted" in detail) == ("/salary_range", True)
    assert "salary_range" not in one("other_periods:=omit", baseSalary=hourly)
    assert "salary_range" not in one("salary_range=", baseSalary=hourly)


def test_a_salary_without_a_currency_is_not_given_one() -> None:
    bare = {"value": {"minValue": 30000}}

    ((pointer, _),) = faults(baseSalary=bare)
    assert pointer == "/salary_range/currency"
    assert [pointer for pointer, _ in faults(baseSalary={"value": {"minValue": "lots"}})] == [
        "/salary_range/min"
    ]
    assert one("salary_range.currency:=SEK", baseSalary=bare)["salary_range"] == {
        "min": 30000,
        "currency": "SEK",
    }


def test_what_is_past_its_date_is_not_active() -> None:
    today = datetime.now(UTC).date()

    assert one(validThrough="2020-01-31T00:00")["is_active"] is False
    assert one(validThrough=str(today - timedelta(days=1)))["is_active"] is False
    assert "is_active" not in one(validThrough=str(today))
    assert "is_active" not in one(validThrough="9999-12-31")
    assert [pointer for pointer, _ in faults(validThrough="until filled")] == ["/is_active"]


@pytest.mark.parametrize(
    ("skills", "words"),
    [
        (["Go", {"@type": "DefinedTerm", "name": "Rust"}], ["Go", "Rust"]),
        ({"@type": "DefinedTerm", "name": "Rust"}, ["Rust"]),
        ("Go; Rust; Go", ["Go", "Rust"]),
        ([], None),
    ],
)
def test_skills_are_a_list_or_a_text(skills: object, words: list[str] | None) -> None:
    assert one(skills=skills).get("skills_required") == words


def test_what_is_lacking_is_left_for_the_server_to_refuse() -> None:
    (item,) = read({"@type": "JobPosting", "title": "Alone"})

    assert (item.fields, item.faults) == ({"title": "Alone", "location": ""}, ())


def test_constants_and_prefixes_hold_here_too() -> None:
    found = one("source_platform:=Coast,external_id.prefix:=coast-")

    assert (found["source_platform"], found["external_id"]) == ("Coast", "coast-4711")


@pytest.mark.parametrize(
    "odd", [5, True, "", [], {}, [[]], {"name": {}}, {"@value": []}, [None], {"address": [5]}]
)
@pytest.mark.parametrize("name", [name for name in POSTING if not name.startswith("@")])
def test_odd_values_end_in_an_item_or_a_reason(name: str, odd: object) -> None:
    (item,) = read({**POSTING, name: odd})

    assert item.fields is not None


def test_only_postings_are_described_so() -> None:
    with pytest.raises(Unreadable):
        open_items(io.BytesIO(b"{}"), "matches", vocabulary="schema.org")


@pytest.mark.parametrize(("content", "said"), [("Title\nx\n", ""), ("{}", "title=name")])
def test_columns_have_no_place_here(content: str, said: str) -> None:
    with pytest.raises(Unreadable):
        read(content, said)
