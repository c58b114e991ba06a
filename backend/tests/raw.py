"""Requests as a server hands them to the app, with what an HTTP client would not send."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import httpx
from fastapi import FastAPI

Headers = Iterable[tuple[bytes, bytes]]


async def raw(
    app: FastAPI,
    method: str,
    path: str,
    headers: Headers = (),
    *,
    messages: Iterable[dict[str, Any]] = ({"type": "http.request", "body": b"", "more_body": False},),
) -> httpx.Response | None:
    """The answer, or nothing when there was none."""
    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        # As uvicorn does it: what is not UTF-8 becomes a replacement character.
        "path": unquote(where),
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "headers": list(headers),
        "server": ("test", 80),
        "client": ("127.0.0.1", 1),
    }
    waiting = iter(messages)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(waiting, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return None
    content = b"".join(message.get("body", b"") for message in sent)
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)
