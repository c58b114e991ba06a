"""The pages at `/docs` and `/redoc` are whole: whatever they load, the app serves."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from backend.app.routers.docs import FOLDER, add_docs

TITLE = "Jobs & <More>"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
LARGE = "/assets/swagger-ui/swagger-ui-bundle.js"
FILES = [file for file in sorted(FOLDER.rglob("*")) if file.suffix in TYPES]

on_every_page = pytest.mark.parametrize("page", ["/docs", "/docs/", "/redoc", "/redoc/"])
in_every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))


def app_with_docs(openapi_url: str | None = "/openapi.json") -> FastAPI:
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=openapi_url)
    add_docs(app)
    return app


def client_of(app: FastAPI, root_path: str = "") -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app, root_path=root_path), base_url="http://test")


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    async with client_of(app_with_docs()) as client:
        yield client


class Read(HTMLParser):
    """What a browser takes from a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.written_inline: list[str] = []
        self.nonces: set[str | None] = set()
        self.attributes: dict[str, str | None] = {}
        self.title = ""
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._within = tag
        self.attributes |= {f"{tag} {name}": value for name, value in attrs}
        self.written_inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "script":
            self.nonces.add(given.get("nonce"))
        if tag != "a":
            self.loaded += [value for name in ("src", "href") if (value := given.get(name))]

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style") and data.strip():
            self.written_inline.append(data)
        if self._within == "title":
            self.title += data.strip()


@on_every_page
async def test_everything_a_page_loads_is_served(client: AsyncClient, page: str) -> None:
    read = Read((await client.get(page)).text)

    suffixes = [Path(urlsplit(address).path).suffix for address in read.loaded]
    assert set(suffixes) == set(TYPES)
    for address, suffix in zip(read.loaded, suffixes, strict=True):
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == TYPES[suffix]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    openapi = await client.get(read.attributes["main data-openapi"] or "")
    assert openapi.json()["info"]["title"] == TITLE


@on_every_page
async def test_a_page_names_no_other_host_and_has_nothing_inline(client: AsyncClient, page: str) -> None:
    text = (await client.get(page)).text
    read = Read(text)

    assert "//" not in text.replace("<!doctype html>", "")
    assert all(address.startswith("/assets/") for address in read.loaded)
    assert read.written_inline == []


@on_every_page
async def test_a_page_says_what_it_is(client: AsyncClient, page: str) -> None:
    answer = await client.get(page)
    read = Read(answer.text)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert read.title == TITLE
    assert read.attributes["html lang"] == "en"
    assert read.attributes["meta content"] == "width=device-width, initial-scale=1"


@on_every_page
async def test_a_page_may_load_nothing_from_elsewhere(client: AsyncClient, page: str) -> None:
    first, second = await client.get(page), await client.get(page)

    (nonce,) = Read(first.text).nonces
    policy = {
        name: sources
        for name, *sources in map(str.split, first.headers["content-security-policy"].split(";"))
    }
    assert policy == {
        "default-src": ["'self'"],
        "script-src": [f"'nonce-{nonce}'"],
        "style-src": ["'self'", f"'nonce-{nonce}'"],
        "img-src": ["'self'", "data:"],
        "worker-src": ["blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    assert Read(second.text).nonces != {nonce}


@in_every_file
def test_a_file_fetches_nothing_from_elsewhere(file: Path) -> None:
    text = file.read_text()

    assert not re.search(r"sourceMappingURL=[\w.-]+\.map", text)
    assert not re.search(r"""\bsrc[=:]\s*["'`](https?:)?//""", text)
    if file.suffix == ".css":
        assert not re.search(r"""@import|url\((?!["']?data:)""", text)


def test_swagger_ui_sends_the_document_to_no_validator() -> None:
    assert "validatorUrl: null" in (FOLDER / "docs.js").read_text()


def test_the_versions_written_down_are_the_versions_kept() -> None:
    table = re.findall(r"^\| `(.+)/` \| `.+` \| (.+?) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)

    assert [folder for folder, _ in table] == ["swagger-ui", "redoc"]
    for folder, version in table:
        assert any(f'"{version}"' in file.read_text() for file in (FOLDER / folder).glob("*.js*"))
        assert (FOLDER / folder / "LICENSE").is_file()


async def test_the_pages_work_behind_a_prefix() -> None:
    async with client_of(app_with_docs(), root_path="/api") as client:
        for page in ("/docs", "/redoc", "/api/docs"):
            read = Read((await client.get(page)).text)

            assert read.attributes["main data-openapi"] == "/api/openapi.json"
            assert all(address.startswith("/api/assets/") for address in read.loaded)
            assert {(await client.get(address)).status_code for address in read.loaded} == {200}


async def test_a_file_already_held_is_not_sent_again(client: AsyncClient) -> None:
    etag = (await client.get(LARGE)).headers["etag"]

    again = await client.get(LARGE, headers={"If-None-Match": f'"other", {etag}'})
    other = await client.get(LARGE, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "identity"])
async def test_a_file_is_the_same_however_it_is_packed(client: AsyncClient, coding: str) -> None:
    answer = await client.get(LARGE, headers={"Accept-Encoding": coding})

    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == (FOLDER / "swagger-ui/swagger-ui-bundle.js").read_bytes()


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef"])
async def test_only_the_present_version_of_a_file_is_kept_for_long(client: AsyncClient, query: str) -> None:
    assert (await client.get(LARGE + query)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["", "nothing.js", "README.md", ".gitattributes", "redoc", "%2e%2e/routers/docs.py"]
)
async def test_nothing_else_is_served(client: AsyncClient, name: str) -> None:
    assert (await client.get(f"/assets/{name}")).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/redoc", LARGE])
async def test_a_page_or_file_is_only_read(client: AsyncClient, path: str) -> None:
    head, post = await client.head(path), await client.post(path)

    assert (head.status_code, head.content) == (200, b"")
    assert post.status_code == 405
    assert set(post.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_the_pages_are_not_part_of_the_api(client: AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["paths"] == {}


async def test_without_a_document_there_are_no_pages() -> None:
    async with client_of(app_with_docs(openapi_url=None)) as client:
        assert (await client.get("/docs")).status_code == 404
