"""HEAD is GET without the body, and OPTIONS says what a path answers: for every path there is."""

from itertools import groupby

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from backend.app.config import Settings
from backend.app.main import create_app
from backend.tests.client import Client
from backend.tests.raw import raw
from backend.tests.routes import OPERATIONS

READS = [operation for operation in OPERATIONS if operation.method == "GET"]
PATHS = {
    path: {operation.method for operation in operations}
    for path, operations in groupby(
        sorted(OPERATIONS, key=lambda operation: operation.path), key=lambda operation: operation.path
    )
}
BESIDE = sorted(
    route.path.replace("{name:path}", "docs.css")
    for route in create_app(Settings(_env_file=None)).routes
    if isinstance(route, Route) and not isinstance(route, APIRoute)
)


@pytest.mark.parametrize("coding", ["gzip", "identity"])
@pytest.mark.parametrize(
    "path", [*(str(operation.path) for operation in READS), *BESIDE, "/nowhere", "/jobs/x", "/jobs/bulk"]
)
async def test_a_head_has_all_the_headers_of_a_get_and_no_body(
    client: Client, path: str, coding: str
) -> None:
    headers = {"Accept-Encoding": coding, "X-Request-ID": "the-same"}

    get, head, again = [
        await client.request(method, path, headers=headers) for method in ("GET", "HEAD", "GET")
    ]

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers.keys() == get.headers.keys()
    # A page has another nonce each time, and what tells the time is another answer.
    if again.headers == get.headers:
        assert head.headers == get.headers


@pytest.mark.parametrize("coding", ["gzip", "identity"])
async def test_a_head_tells_the_length_and_the_tag_of_a_long_list(client: Client, coding: str) -> None:
    for _ in range(10):
        await client.job(description="Long. " * 100)
    headers = {"Accept-Encoding": coding, "X-Request-ID": "the-same"}

    get, head = [await client.request(method, "/jobs/", headers=headers) for method in ("GET", "HEAD")]

    assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)
    assert get.headers.get("content-encoding", "identity") == coding
    held = await client.head("/jobs/", headers={**headers, "If-None-Match": head.headers["etag"]})
    assert held.status_code == 304


async def test_a_head_of_an_export_tells_no_length(client: Client) -> None:
    await client.job()

    head = await client.head("/jobs/export")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "application/x-ndjson"
    assert "content-length" not in head.headers


def with_what_follows(methods: set[str]) -> set[str]:
    return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


@pytest.mark.parametrize("path", PATHS)
async def test_options_names_what_a_path_answers(client: Client, path: str) -> None:
    for form in (path.rstrip("/"), path.rstrip("/") + "/"):
        response = await client.options(form)

        assert (response.status_code, response.content) == (204, b"")
        assert set(response.headers["allow"].split(", ")) == with_what_follows(PATHS[path])


@pytest.mark.parametrize("path", BESIDE)
async def test_options_names_that_a_page_is_only_read(client: Client, path: str) -> None:
    response = await client.options(path)

    assert (response.status_code, response.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", ["/nowhere", "/users//", "*"])
async def test_options_of_nothing_is_404(app: FastAPI, path: str) -> None:
    answer = await raw(app, "OPTIONS", path)

    assert answer is not None
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_path")


@pytest.mark.parametrize("path", PATHS)
async def test_a_refused_method_is_told_the_same_as_options(client: Client, path: str) -> None:
    options, refused = await client.options(path), await client.request("TRACE", path)

    assert refused.status_code == 405
    assert refused.headers["allow"] == options.headers["allow"]


async def test_every_method_that_a_path_names_is_answered(client: Client, app: FastAPI) -> None:
    for path in PATHS:
        for method in (await client.options(path)).headers["allow"].split(", "):
            assert (await client.request(method, path)).status_code != 405, (method, path)
