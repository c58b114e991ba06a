"""Lists, page by page: each document once, in order, whatever others write meanwhile."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.app.db.ranking import Ranking
from backend.app.db.schema import TABLE, Listing, Spec
from backend.app.models.base import Document
from backend.tests import samples
from backend.tests.client import Client

Json = dict[str, Any]
TEN_THOUSAND = 10_000
START = datetime(2026, 1, 1)  # noqa: DTZ001 - as MongoDB holds it: UTC, without a zone
MINE, OTHER = ObjectId("1" * 24), ObjectId("2" * 24)


def next_page(response: httpx.Response) -> str | None:
    links = response.links
    return links["next"]["url"] if "next" in links else None


async def pages(client: Client, path: str) -> AsyncIterator[list[Json]]:
    url: str | None = path
    while url is not None:
        response = await client.get(url)
        assert response.status_code == 200, response.text
        yield response.json()
        url = next_page(response)


async def scan(client: Client, path: str) -> list[Json]:
    return [document async for page in pages(client, path) for document in page]


def posting(number: int, posted: datetime, **changes: Any) -> Document:
    return {
        "_id": ObjectId(),
        "external_id": f"posting-{number}",
        "title": "Engineer",
        "company": "Initech",
        "description": "",
        "location": "Berlin",
        "posted_date": posted,
        "is_active": True,
        "created_at": START,
        "revision": 1,
        **changes,
    }


def newest_first(documents: list[Json]) -> list[Json]:
    return sorted(documents, key=lambda job: (job["posted_date"], job["id"]), reverse=True)


async def scan_among(client: Client, path: str, write: Callable[[int], Awaitable[object]]) -> list[Json]:
    """Read the list to its end while others write: something during every page, and before the next."""
    seen: list[Json] = []
    url: str | None = path
    for number in itertools.count():
        if url is None:
            break
        response, _ = await asyncio.gather(client.get(url), write(number))
        assert response.status_code == 200, response.text
        seen += response.json()
        url = next_page(response)
    return seen


# Of one time for all, the id alone decides; of 7 s for each, the time does; of both, each now and then.
SPREADS: dict[str, Callable[[int], datetime]] = {
    "at one moment": lambda _: START,
    "each at its own moment": lambda number: START + timedelta(seconds=7 * number % 9973),
    "in crowds": lambda number: START + timedelta(days=number % 5),
}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("limit", [1000, 137])
async def test_ten_thousand_postings_are_paged_without_gap_or_repeat_while_others_write(
    client: Client, mongo: Mongo, spread: str, limit: int
) -> None:
    moment = SPREADS[spread]
    stay = [posting(number, moment(number)) for number in range(TEN_THOUSAND)]
    go = [posting(-1 - number, moment(31 * number)) for number in range(5000)]
    # Two that stay, one that goes, and so on: ids grow as they are made, and decide between equals.
    mixed = [job for number, one in enumerate(go) for job in (*stay[2 * number : 2 * number + 2], one)]
    await mongo["jobs"].insert_many([job | {"_id": ObjectId()} for job in mixed])

    async def write(number: int) -> None:
        new = [posting(TEN_THOUSAND + number * 50 + one, moment(17 * number + one)) for one in range(50)]
        old = [-1 - one for one in range(number, len(go), 101)]
        changed = f"posting-{number * 101 % TEN_THOUSAND}"
        await mongo["jobs"].insert_many(new)
        await mongo["jobs"].delete_many({"external_id": {"$in": [f"posting-{one}" for one in old]}})
        # One that stays may change: only not in what it is ordered by.
        await mongo["jobs"].update_one({"external_id": changed}, {"$set": {"title": "Changed"}})

    seen = await scan_among(client, f"/jobs/?limit={limit}", write)

    names = Counter(job["external_id"] for job in seen)
    assert {name for name, times in names.items() if times > 1} == set()
    assert {str(job["external_id"]) for job in stay} - set(names) == set()
    assert seen == newest_first(seen)


async def test_writers_that_come_through_the_app_disturb_a_scan_as_little(
    client: Client, mongo: Mongo
) -> None:
    stay = [posting(number, START + timedelta(days=number % 3)) for number in range(2000)]
    await mongo["jobs"].insert_many(stay)

    async def write(number: int) -> None:
        made = await client.job(posted_date=f"2026-01-0{1 + number % 3}T00:00:00Z")
        retired = await client.job(posted_date=f"2026-01-0{1 + number % 3}T00:00:00Z")
        await client.delete(f"/jobs/{made['id']}")
        await client.patch(f"/jobs/{retired['id']}", json={"is_active": False})

    seen = await scan_among(client, "/jobs/?limit=101", write)

    ids = [job["id"] for job in seen]
    assert len(set(ids)) == len(ids)
    assert {str(job["_id"]) for job in stay} <= set(ids)
    assert seen == newest_first(seen)


@pytest.mark.parametrize("ranked", [6, 9], ids=["as many as are ranked", "fewer than are ranked"])
async def test_what_comes_in_among_the_ranked_pushes_none_of_them_out(
    client: Client, mongo: Mongo, monkeypatch: pytest.MonkeyPatch, ranked: int
) -> None:
    monkeypatch.setattr(Ranking.__init__, "__defaults__", (ranked, 100))

    async def add(kind: str, hour: int) -> None:
        jobs = [
            samples.job(
                external_id=f"{kind}-{day}",
                title=("Engineer", "Developer")[day % 2],
                description="An engineer.",
                posted_date=f"2026-01-0{1 + day}T{hour:02}:00:00Z",
            )
            for day in range(6)
        ]
        assert (await client.bulk("/jobs/", jobs)).status_code == 200

    await add("stays", 0)
    first = await client.get("/jobs/?q=engineer&limit=2")
    await add("new", 1)
    following = next_page(first)
    assert following is not None
    seen = [*first.json(), *await scan(client, following)]

    stays = [job["external_id"] for job in seen if job["external_id"].startswith("stays")]
    assert stays == [f"stays-{day}" for day in (4, 2, 0, 5, 3, 1)]


class Listed(NamedTuple):
    """One list over HTTP, and what it should hold in which order."""

    path: str
    spec: Spec
    listing: Listing
    where: dict[str, Any]

    def belongs(self, document: Document) -> bool:
        return all(document[name] == value for name, value in self.where.items() if value is not None)

    def expected(self, documents: list[Document]) -> list[str]:
        by, direction = self.listing.by, self.listing.direction
        mine = [document for document in documents if self.belongs(document)]
        mine.sort(key=lambda document: (document[by], document["_id"]), reverse=direction == -1)
        return [str(document["_id"]) for document in mine]


PREFIXES = {
    "users": "/users/",
    "jobs": "/jobs/",
    "job_matches": "/job-matches/",
    "saved_searches": "/saved-searches/",
    "user_job_interactions": "/interactions/",
    "ingest_runs": "/ingest-runs/",
}
OWNERS = {"user_id": f"user/{MINE}", "job_id": f"job/{MINE}"}


def asked(name: str, value: object) -> str:
    """How a client asks for it; for every type of interaction by not asking."""
    if value is None:
        return "is_active=any" if name == "is_active" else ""
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def is_of_fields(listing: Listing) -> bool:
    """Not of what is derived from them: those lists are in `test_job_search.py`."""
    return not any("." in name for name in (*listing.where, listing.by))


def every_list() -> Iterator[Listed]:
    """Each list of the table, with each value of its filters and with none."""
    for spec in TABLE:
        for listing in filter(is_of_fields, spec.lists):
            closed = [name for name in listing.where if name not in OWNERS]
            owner = next((name for name in listing.where if name in OWNERS), None)
            for values in itertools.product(*((*spec.all_values(name), None) for name in closed)):
                chosen = dict(zip(closed, values, strict=True))
                query = "&".join(asked(name, value) for name, value in chosen.items())
                if listing != spec.listing(listing.where):
                    query += f"&sort={listing.order}"
                path = f"{PREFIXES[spec.name]}{OWNERS[owner] if owner else ''}?{query}"
                yield Listed(path, spec, listing, {**({owner: MINE} if owner else {}), **chosen})


LISTS = [pytest.param(one, id=one.path.replace(str(MINE), "mine")) for one in every_list()]
each_list = pytest.mark.parametrize("one", LISTS)


def documents_of(spec: Spec, listing: Listing) -> list[Document]:
    """Dozens, mine and another's, of each kind a filter knows, many alike in what they are ordered by."""
    mine_and_others = dict.fromkeys(OWNERS, (MINE, OTHER))
    choices = {name: mine_and_others.get(name) or spec.all_values(name) for name in listing.where}
    orders: list[Any] = [START + timedelta(days=day) for day in (0, 1, 1, 2)]
    if "score" in listing.by:
        orders = [0, 0.5, 0.5, 1]
    return [
        {
            # What unique indexes want to be different, where the list does not ask for it.
            **{name: ObjectId() for name in OWNERS},
            **{name: str(ObjectId()) for name in ("email", "external_id")},
            **dict(zip(choices, values, strict=False)),
            "_id": ObjectId(),
            listing.by: orders[values[-1] % len(orders)],
        }
        for values in itertools.product(*choices.values(), range(24))
    ]


async def fill(mongo: Mongo, one: Listed) -> list[str]:
    """Put documents into the list's collection; what the list should show, in order."""
    documents = documents_of(one.spec, one.listing)
    await mongo[one.spec.name].insert_many(documents)
    return one.expected(documents)


def test_each_list_of_the_table_is_here() -> None:
    named = {(one.spec.name, one.listing) for one in every_list()}

    assert named == {(spec.name, listing) for spec in TABLE for listing in filter(is_of_fields, spec.lists)}


@each_list
@pytest.mark.parametrize("limit", [1, 2, 5, 7, 1000])
async def test_a_list_is_whole_and_in_order_at_any_limit(
    client: Client, mongo: Mongo, one: Listed, limit: int
) -> None:
    expected = await fill(mongo, one)

    found = [page async for page in pages(client, f"{one.path}&limit={limit}")]

    assert len(expected) >= 6
    assert [document["id"] for page in found for document in page] == expected
    assert {len(page) for page in found[:-1]} <= {limit}
    assert found[-1] != []


@each_list
async def test_a_link_is_relative_and_keeps_what_was_asked(client: Client, mongo: Mongo, one: Listed) -> None:
    await fill(mongo, one)

    first = await client.get(f"{one.path}&limit=2&count=true")

    link = first.headers["link"]
    assert link.startswith("</") and link.endswith('>; rel="next"')
    target, sent = urlsplit(first.links["next"]["url"]), urlsplit(f"{one.path}&limit=2&count=true")
    assert (target.scheme, target.netloc, target.path) == ("", "", sent.path)
    kept = parse_qs(target.query)
    assert kept.pop("cursor")
    assert kept == parse_qs(sent.query)


@each_list
async def test_the_last_page_has_no_link(client: Client, mongo: Mongo, one: Listed) -> None:
    expected = await fill(mongo, one)

    exact = await client.get(f"{one.path}&limit={len(expected)}")
    short = await client.get(f"{one.path}&limit={len(expected) - 1}")
    last = await client.get(short.links["next"]["url"])

    assert "link" not in exact.headers
    assert [document["id"] for document in last.json()] == expected[-1:]
    assert "link" not in last.headers


@each_list
async def test_the_count_is_of_the_whole_list_on_every_page(
    client: Client, mongo: Mongo, one: Listed
) -> None:
    expected = await fill(mongo, one)

    first = await client.get(f"{one.path}&limit=2&count=true")
    second = await client.get(first.links["next"]["url"])
    uncounted = await client.get(f"{one.path}&limit=2")

    assert first.headers["x-total-count"] == second.headers["x-total-count"] == str(len(expected))
    assert "x-total-count" not in uncounted.headers


@each_list
async def test_a_cursor_survives_another_limit(client: Client, mongo: Mongo, one: Listed) -> None:
    expected = await fill(mongo, one)
    cursor = parse_qs(urlsplit((await client.get(f"{one.path}&limit=3")).links["next"]["url"]).query)[
        "cursor"
    ][0]

    rest = await client.get(f"{one.path}&limit=1000&cursor={cursor}")
    few = await client.get(f"{one.path}&limit=1&cursor={cursor}")

    assert [document["id"] for document in rest.json()] == expected[3:]
    assert [document["id"] for document in few.json()] == expected[3:4]


@each_list
async def test_a_cursor_goes_on_although_the_document_it_came_from_is_gone(
    client: Client, mongo: Mongo, one: Listed
) -> None:
    expected = await fill(mongo, one)
    first = await client.get(f"{one.path}&limit=3")

    await mongo[one.spec.name].delete_one({"_id": ObjectId(expected[2])})
    second = await client.get(first.links["next"]["url"])

    assert [document["id"] for document in second.json()] == expected[3:6]


async def test_cursors_of_other_lists_and_other_filters_are_refused(client: Client, mongo: Mongo) -> None:
    cursors = {}
    for one in every_list():
        await mongo[one.spec.name].delete_many({})
        await fill(mongo, one)
        page = await client.get(f"{one.path}&limit=1")
        cursors[one.path] = parse_qs(urlsplit(page.links["next"]["url"]).query)["cursor"][0]

    for path, (origin, cursor) in itertools.product(cursors, cursors.items()):
        response = await client.get(f"{path}&cursor={cursor}")
        expected = 200 if origin == path else 400
        assert response.status_code == expected, f"a cursor of {origin} at {path}"


@each_list
async def test_an_empty_list_is_an_empty_array(client: Client, mongo: Mongo, one: Listed) -> None:
    response = await client.get(f"{one.path}&count=true")

    assert (response.status_code, response.json()) == (200, [])
    assert response.headers["x-total-count"] == "0"
    assert "link" not in response.headers


async def test_a_page_is_a_hundred_unless_asked(client: Client, mongo: Mongo) -> None:
    await mongo["jobs"].insert_many([posting(number, START) for number in range(101)])

    first = await client.get("/jobs/")

    assert len(first.json()) == 100
    assert len((await client.get(first.links["next"]["url"])).json()) == 1


@pytest.mark.parametrize("form", ["/jobs", "/jobs/"])
async def test_a_link_leads_on_from_either_slash_form(client: Client, mongo: Mongo, form: str) -> None:
    await mongo["jobs"].insert_many([posting(number, START) for number in range(5)])

    assert len(await scan(client, f"{form}?limit=2")) == 5
