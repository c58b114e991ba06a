"""The page at `/` shows what is known: whoever has named it, and with the database away."""

import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.app.db.overview import NAME, overview
from backend.app.db.standing import Standing
from backend.app.home.plots import ceiling
from backend.app.home.text import short
from backend.app.main import create_app
from backend.tests.client import Client
from backend.tests.test_docs_pages import Read

HOSTILE = "<script>alert(1)</script>"
BROKEN_OUT = "\"'></title></svg><img src=x onerror=alert(1)>"
CURL = re.compile(r"curl -s '(.*?)/jobs/")


@pytest.fixture
async def away(settings: Settings) -> AsyncIterator[tuple[FastAPI, Client]]:
    """An app whose database nobody reaches."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"mongodb://127.0.0.1:{taken.getsockname()[1]}/?directConnection=true"
        app = create_app(settings.model_copy(update={"mongodb_uri": uri, "request_deadline": 0.2}))
        async with (
            LifespanManager(app),
            Client(transport=httpx.ASGITransport(app), base_url="http://test") as client,
        ):
            yield app, client


async def test_an_empty_service_says_how_to_fill_it(client: Client) -> None:
    answer = await client.get("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    assert "<strong>Healthy.</strong>" in answer.text
    assert "make demo" in answer.text
    assert "<svg" not in answer.text


async def test_it_shows_what_there_is(client: Client) -> None:
    await client.interaction(
        user_id=(await client.user())["id"],
        job_id=(await client.job(company="Hooli", source_platform="Indeed", skills_required=["Rust"]))["id"],
        interaction_type="applied",
    )

    page = (await client.get("/")).text

    assert "<dt>Active postings</dt><dd>1 <span>of 1 in all</span>" in page
    assert "<dt>Applications</dt><dd>1 " in page
    assert all(f"<bdi>{name}</bdi>" in page for name in ("Hooli", "Indeed", "Rust"))
    assert page.count('<svg class="plot" role="img"') == 2
    assert page.count('class="s0" x=') == 2
    assert "make demo" not in page


async def test_numbers_are_written_in_thousands(client: Client, mongo: Mongo) -> None:
    await mongo["users"].insert_many({"email": f"{number}@example.com"} for number in range(1234))

    assert "<dd>1,234 <span>who look for a job" in (await client.get("/")).text


@pytest.mark.parametrize("hostile", [HOSTILE, BROKEN_OUT])
async def test_a_name_is_shown_and_never_run(client: Client, hostile: str) -> None:
    await client.job(company=hostile, source_platform=hostile, skills_required=[hostile])

    page = (await client.get("/")).text
    read = Read(page)

    assert hostile not in page
    assert [address for address in read.loaded if address == "x"] == []
    assert read.written_inline == []
    assert page.count("<script") == 1
    # Company, skill, the legend, the head of the table.
    assert page.count(f"<bdi>{hostile.split('>')[0].translate(ESCAPED)}&gt;") == 4


ESCAPED = str.maketrans({"<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


async def test_a_long_name_is_cut_and_a_blank_one_is_called_so(client: Client) -> None:
    await client.job(company="a" * 5000, skills_required=["  "])

    page = (await client.get("/")).text

    assert f"<bdi>{'a' * 47}…</bdi>" in page
    assert "<bdi>(no name)</bdi>" in page


async def test_it_loads_only_what_the_app_serves_and_has_nothing_inline(client: Client) -> None:
    await client.job()

    answer = await client.get("/")

    read = Read(answer.text)
    assert [Path(address.partition("?")[0]).name for address in read.loaded] == [
        "favicon.svg",
        "home.css",
        "home.js",
    ]
    for address in read.loaded:
        assert (await client.get(address)).status_code == 200
    assert read.written_inline == []
    assert "http://" not in answer.text.replace("http://test", "")
    (nonce,) = read.nonces
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_its_links_lead_somewhere_behind_a_prefix_too(app: FastAPI, mongo: Mongo) -> None:
    transport = httpx.ASGITransport(app, root_path="/api")
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        page = (await client.get("/")).text
        links = re.findall(r'<a href="(.*?)">', page)

        assert links == ["/api/docs", "/api/redoc", "/api/openapi.json", "/api/health"]
        assert {(await client.get(link)).status_code for link in [*links, *Read(page).loaded]} == {200}
    assert CURL.findall(page) == ["http://test/api"]


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("jobs.example:8443", "http://jobs.example:8443"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("x';rm -rf ~;'", "http://localhost:8000"),
        ("<b>", "http://localhost:8000"),
        ("", "http://localhost:8000"),
    ],
)
async def test_the_example_names_the_host_if_it_is_one(client: Client, host: str, shown: str) -> None:
    assert CURL.findall((await client.get("/", headers={"Host": host})).text) == [shown]


async def test_it_is_only_read_and_is_no_part_of_the_api(client: Client) -> None:
    head, post = await client.head("/"), await client.post("/")

    assert (head.status_code, head.content) == (200, b"")
    assert post.status_code == 405
    assert "/" not in (await client.get("/openapi.json")).json()["paths"]


async def test_with_the_database_away_it_says_so(away: tuple[FastAPI, Client]) -> None:
    _, client = away

    answer = await client.get("/")

    assert answer.status_code == 200
    assert "<strong>The database is away.</strong>" in answer.text
    assert "There are no figures yet" in answer.text


async def test_with_the_database_away_it_shows_what_it_last_knew(
    client: Client, mongo: Mongo, away: tuple[FastAPI, Client]
) -> None:
    await client.job(company="Hooli")
    known = await overview(Standing(mongo))
    app, cut_off = away
    app.state.standing.known[NAME] = known

    page = (await cut_off.get("/")).text

    assert "<strong>The database is away.</strong>" in page
    assert "<bdi>Hooli</bdi>" in page
    assert f"{known.as_of:%H:%M:%S} UTC" in page


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 4), (3, 4), (5, 6), (9, 10), (10, 10), (11, 12), (56, 60), (100, 100), (101, 120), (7_800, 8_000)],
)
def test_a_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert ceiling(most) == top


@pytest.mark.parametrize(
    ("number", "text"),
    [(999, "999"), (1000, "1k"), (12_345, "12.3k"), (999_999, "1M"), (2_500_000, "2.5M")],
)
def test_a_number_above_a_bar_is_short(number: int, text: str) -> None:
    assert short(number) == text
