"""A fault of ours: told as a problem, logged with its request, and nothing of it shown."""

import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from backend.app import logs
from backend.app.config import Settings
from backend.app.main import create_app
from backend.tests import samples


async def broken(request: Request) -> Response:
    raise ZeroDivisionError("a secret")


async def breaks_off(request: Request) -> Response:
    def pieces() -> Iterator[str]:
        yield "the beginning"
        raise ZeroDivisionError("a secret")

    return StreamingResponse(pieces())


@pytest.fixture
def faulty() -> FastAPI:
    app = create_app(Settings(_env_file=None))
    app.add_route("/broken", broken)
    app.add_route("/breaks-off", breaks_off)
    return app


async def test_a_fault_is_a_problem_that_tells_nothing_of_it(
    faulty: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(faulty), base_url="http://test") as client:
        response = await client.get("/broken", headers={"X-Request-ID": "mine"})

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == response.json()["request_id"] == "mine"
    assert "secret" not in response.text
    assert "ZeroDivisionError: a secret" in caplog.text


async def test_an_answer_that_breaks_off_stays_broken_off(faulty: FastAPI) -> None:
    transport = httpx.ASGITransport(faulty)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/breaks-off")


async def test_no_command_is_logged_at_any_level(app: FastAPI, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("debug"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            await client.post("/users/", json=samples.user(name="Grace Hopper", password="correct horse"))

    logged = capsys.readouterr().err
    assert "Grace" not in logged
    assert "argon2" not in logged


@contextmanager
def logging_as(level: str) -> Iterator[None]:
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(logs.config(level))
    try:
        yield
    finally:
        logging.root.handlers[:] = before[0]
        logging.root.setLevel(before[1])


async def test_every_log_line_of_a_request_has_its_id(
    faulty: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_as("info"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(faulty), base_url="http://test") as client:
            await client.get("/broken", headers={"X-Request-ID": "mine"})
        logging.getLogger("elsewhere").info("Outside of any request")

    first, *_, last = capsys.readouterr().err.splitlines()
    assert "[mine] backend.app.envelope: The app has a fault" in first
    assert "[-] elsewhere: Outside of any request" in last
