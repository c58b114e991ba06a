"""The guide is true: each example runs, in order, on the demo data; and so do the scripts it names."""

import ast
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from rich.progress import Progress

from backend.app.config import Settings
from backend.app.db.mongo import Mongo
from backend.cli.demo import write
from backend.client import AsyncClient
from backend.demo import dataset
from backend.tests.client import Client

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "docs" / name for name in ("guide.md", "ingestion.md")]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[str, str, int]]:
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        yield block[1], block[2], text.count("\n", 0, block.start()) + 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
async def test_every_example_works_as_written(
    client: Client,
    mongo: Mongo,
    app: FastAPI,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    page: Path,
) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    await write(mongo, dataset(midnight), Progress(disable=True))
    # What a script reads its settings from.
    monkeypatch.setenv("MONGODB_URI", settings.uri)
    # Where the library finds the service.
    here = partial(AsyncClient, transport=httpx.ASGITransport(app))
    monkeypatch.setattr("backend.client.AsyncClient", here)

    ran = 0
    for kind, source, line in blocks(page):
        if kind == "python":
            await run_python(source, page, line, client)
        else:
            await run_console(source, page, line, client)
        ran += 1

    assert ran > 5


async def run_python(source: str, page: Path, line: int, client: Client) -> None:
    code = compile("\n" * line + source, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    # eval returns the coroutine of a module that awaits, and None of one that does not.
    result = eval(code, {"client": client})  # noqa: S307
    if inspect.isawaitable(result):
        await result


async def run_console(source: str, page: Path, line: int, client: Client) -> None:
    command, _, expected = source.partition("\n")
    while command.endswith("\\") or command.count("'") % 2:
        more, _, expected = expected.partition("\n")
        command = command.removesuffix("\\") + more
    request, shows_head = curl(shlex.split(command.removeprefix("$ ")), client)

    response = await client.send(request)

    head = [f"HTTP/1.1 {response.status_code} {response.reason_phrase}"]
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    actual = "\n".join([*head, response.text]) if shows_head else response.text
    for wanted in expected.splitlines() if shows_head else [expected]:
        assert fits(wanted, actual), f"{page.name}, line {line}: expected {wanted}\nbut got\n{actual}"


def curl(words: list[str], client: Client) -> tuple[httpx.Request, bool]:
    """As much of curl as the guide uses."""
    program, *rest = words
    assert program == "curl"
    method, url, body, shows_head = None, "", None, False
    headers: dict[str, str] = {}
    arguments = iter(rest)
    for word in arguments:
        match word:
            case "-s":
                pass
            case "-i":
                shows_head = True
            case "-X":
                method = next(arguments)
            case "-d":
                body = next(arguments).encode()
            case "-H":
                name, _, value = next(arguments).partition(": ")
                headers[name] = value
            case _:
                url = word.removeprefix("localhost:8000")
    method = method or ("POST" if body is not None else "GET")
    return client.build_request(method, url, content=body, headers=headers), shows_head


def fits(expected: str, actual: str) -> bool:
    """Whether the text is as expected, white space apart, with anything at all in place of each ellipsis."""

    def bare(text: str) -> str:
        return re.sub(r"\s+", "", text)

    pattern = ".*".join(re.escape(bare(part)) for part in expected.split("…"))
    return (
        re.search(rf"(^|\n){pattern}($|\n)", "\n".join(bare(line) for line in actual.splitlines()))
        is not None
    )


def test_the_example_script_goes_through_all_six_collections(settings: Settings) -> None:
    environment: dict[str, Any] = {"MONGODB_URI": settings.uri, "TEST_DB": f"{settings.test_db}_example"}

    done = subprocess.run(
        [sys.executable, "-m", "backend.tests.db_crud_example"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"Connected to {settings.test_db}_example" in done.stdout
    assert "0 matches left" in done.stdout
