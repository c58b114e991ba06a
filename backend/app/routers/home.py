"""The page at `/`. It is shown whatever has become of the database, and never waits for it for long."""

import asyncio
import re
from secrets import token_urlsafe

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from backend.app.db.mongo import SELECTION_SECONDS, deadline
from backend.app.db.overview import NAME, overview
from backend.app.db.standing import Answer
from backend.app.errors import Failure
from backend.app.home import Place, Seen, page
from backend.app.home.page import Status
from backend.app.routers.docs import EACH_TIME, address

# Figures that take longer are on the page the next time it is looked at.
SECONDS_FOR_FIGURES = 0.5
HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_home(app: FastAPI) -> None:
    app.add_route("/", show, include_in_schema=False)


async def show(request: Request) -> Response:
    root: str = request.scope.get("root_path", "").rstrip("/")
    nonce = token_urlsafe(16)
    place = Place(
        base=base(request) + root,
        root=root,
        nonce=nonce,
        icon=address(root, "favicon.svg"),
        style=address(root, "home.css"),
        script=address(root, "home.js"),
        version=request.app.version,
    )
    headers = {
        "Cache-Control": EACH_TIME,
        "Content-Security-Policy": POLICY.format(nonce=nonce),
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page(await seen(request), place), headers=headers)


async def seen(request: Request) -> Seen:
    (status, message), found = await asyncio.gather(health(request), figures(request))
    if found is None:
        return Seen(status, message, None, None)
    return Seen(status, message, found.document, found.as_of)


async def health(request: Request) -> tuple[Status, str]:
    try:
        with deadline(patience(request)):
            await request.app.state.mongo.ping()
    except Failure as failure:
        return "away", failure.detail
    return ("healthy" if request.app.state.ready.is_set() else "starting"), "The database answers"


async def figures(request: Request) -> Answer | None:
    """As they are, or else as this worker has last seen them."""
    standing = request.app.state.standing
    try:
        with deadline(patience(request)):
            return await overview(standing, SECONDS_FOR_FIGURES)
    except Failure:
        known: Answer | None = standing.known.get(NAME)
        return known


def patience(request: Request) -> float:
    """Seconds to wait for the database before the page goes without it."""
    seconds: float = request.app.state.settings.request_deadline
    return min(SELECTION_SECONDS, seconds)


def base(request: Request) -> str:
    """What to write before a path in an example. The host is what the client says it is, if it is one."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}" if HOST.fullmatch(host) else "http://localhost:8000"
