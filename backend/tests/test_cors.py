"""Pages of other origins: refused unless a setting names their origin, and then told all they need."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from backend.app.config import Settings
from backend.app.main import create_app
from backend.app.openapi.headers import HEADERS
from backend.tests.refusals import refusal
from backend.tests.routes import OPERATIONS

OURS, ANOTHER = "https://app.example", "http://localhost:3000"
METHODS = sorted({operation.method for operation in OPERATIONS} | {"HEAD"})
SENT = (
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-api-key",
    "x-request-id",
)

Ask = Callable[..., Awaitable[httpx.Response]]


async def broken(request: Request) -> Response:
    raise ZeroDivisionError


def app_for(origins: str) -> FastAPI:
    app = create_app(Settings(_env_file=None, cors_origins=origins))
    app.add_route("/broken", broken)
    return app


async def ask(origins: str, method: str, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app_for(origins))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, headers=sent)


async def preflight(origins: str, origin: str, method: str, headers: str = "") -> httpx.Response:
    asked = {"access_control_request_method": method}
    if headers:
        asked["access_control_request_headers"] = headers
    return await ask(origins, "OPTIONS", "/jobs/", origin=origin, **asked)


def allowed(response: httpx.Response) -> str | None:
    origin: str | None = response.headers.get("access-control-allow-origin")
    return origin


async def test_unless_it_is_set_nothing_is_said_to_other_origins() -> None:
    read = await ask("", "GET", "/livez", origin=OURS)
    asked = await preflight("", OURS, "POST")

    assert (read.status_code, asked.status_code) == (200, 204)
    for response in (read, asked):
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", [OURS, ANOTHER])
async def test_a_page_of_a_named_origin_may_read_and_see_every_header(origin: str) -> None:
    response = await ask(f"{OURS}, {ANOTHER}", "GET", "/livez", origin=origin)

    assert allowed(response) == origin
    assert "Origin" in response.headers["vary"]
    seen = set(response.headers["access-control-expose-headers"].split(", "))
    assert seen | {"Retry-After-Key"} == set(HEADERS)


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.evil.example",
        "https://evil.app.example",
        "https://evilapp.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example/",
        "null",
        "",
        "*",
    ],
)
async def test_a_page_of_any_other_origin_may_not(origin: str) -> None:
    read = await ask(OURS, "GET", "/livez", origin=origin)
    asked = await preflight(OURS, origin, "GET")

    assert (read.status_code, allowed(read), "Origin" in read.headers["vary"]) == (200, None, True)
    assert (refusal(asked, 403), allowed(asked), asked.json()["code"]) == (None, None, "cross_origin")


async def test_an_answer_to_no_page_is_told_apart_from_one_to_a_page() -> None:
    response = await ask(OURS, "GET", "/livez")

    assert (allowed(response), "Origin" in response.headers["vary"]) == (None, True)


@pytest.mark.parametrize("method", METHODS)
async def test_a_preflight_lets_every_method_through_with_all_headers_that_mean_anything(method: str) -> None:
    response = await preflight(OURS, OURS, method, ", ".join(SENT))

    assert (response.status_code, response.content, allowed(response)) == (204, b"", OURS)
    assert method in response.headers["access-control-allow-methods"].split(", ")
    sendable = response.headers["access-control-allow-headers"].lower().split(", ")
    assert set(SENT) <= set(sendable)
    assert response.headers["x-request-id"]
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(("method", "headers"), [("TRACE", ""), ("GET", "x-evil"), ("", "")])
async def test_a_preflight_for_anything_else_is_refused_with_a_problem(method: str, headers: str) -> None:
    response = await preflight(OURS, OURS, method, headers)

    assert refusal(response, 403) is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/livez", 405),
        ("GET", "/livez?a=b", 422),
        ("GET", "/broken", 500),
    ],
)
async def test_a_problem_can_be_read_too(method: str, path: str, status: int) -> None:
    response = await ask(OURS, method, path, origin=OURS)

    assert (response.status_code, allowed(response)) == (status, OURS)
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_a_star_is_every_origin() -> None:
    read = await ask("*", "GET", "/livez", origin="https://anything.example")
    asked = await preflight("*", "https://anything.example", "PATCH", "if-match")

    assert (allowed(read), allowed(asked), asked.status_code) == ("*", "*", 204)


@pytest.mark.parametrize("origins", [OURS, "*"])
async def test_cookies_are_never_asked_for(origins: str) -> None:
    for response in (
        await ask(origins, "GET", "/livez", origin=OURS, cookie="a=b"),
        await preflight(origins, OURS, "GET"),
    ):
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ()),
        (" , ", ()),
        ("HTTPS://App.Example", (OURS,)),
        ("https://app.example:443,http://a.example:80", (OURS, "http://a.example")),
        ("http://a.example:443", ("http://a.example:443",)),
        ("http://[::1]:8000", ("http://[::1]:8000",)),
        ("capacitor://localhost", ("capacitor://localhost",)),
        ("*", ("*",)),
    ],
)
def test_origins_are_read_as_browsers_send_them(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", written)

    assert Settings(_env_file=None).cors_origins == meant


@pytest.mark.parametrize(
    "written",
    [
        "app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?a",
        "https://*.app.example",
        "https://a@app.example",
        "https://app.example:port",
        "https://münchen.example",
        "https://app.example https://b.example",
        "null",
        "*, https://app.example",
        '["https://app.example"]',
    ],
)
def test_what_is_no_origin_keeps_the_app_from_starting(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", written)

    with pytest.raises(ValidationError, match="cors_origins"):
        Settings(_env_file=None)
