"""The OpenAPI document, and the pages at `/docs` and `/redoc`: all they load is in `app/assets`."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from secrets import token_urlsafe

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from backend.app.compression import taken
from backend.app.replies import answer

FOLDER = Path(__file__).parent.parent / "assets"
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
FOREVER = "public, max-age=31536000, immutable"
EACH_TIME = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    packed: bytes
    media_type: str
    version: str


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]


PAGES = (
    Page(
        path="/docs",
        styles=("swagger-ui/swagger-ui.css", "docs.css"),
        scripts=("swagger-ui/swagger-ui-bundle.js", "docs.js"),
    ),
    Page(
        path="/redoc",
        styles=("redoc.css",),
        scripts=("redoc/redoc.standalone.js", "redoc.js"),
    ),
)
# ReDoc writes its style sheets as it draws, under the nonce, and searches in a worker made from a blob.
# Both pages keep their icons in `data:` addresses.
POLICY = (
    "default-src 'self'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; worker-src blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{icon}">
{styles}
</head>
<body>
<noscript>This page needs JavaScript. The bare document is at <a href="{openapi}">{openapi}</a>.</noscript>
<main id="docs" data-openapi="{openapi}"></main>
{scripts}
</body>
</html>
"""


def add_docs(app: FastAPI) -> None:
    """Give the app its two pages and what they load, unless it has no OpenAPI document to show."""
    if not app.openapi_url:
        return
    # FastAPI's own route would render it for each request anew, and give it no entity tag.
    app.router.routes[:] = [route for route in app.routes if getattr(route, "path", "") != app.openapi_url]
    app.add_route(app.openapi_url, described(app), include_in_schema=False)
    for page in PAGES:
        for path in (page.path, f"{page.path}/"):
            app.add_route(path, shown(page, app), include_in_schema=False)
    app.add_route("/assets/{name:path}", asset, include_in_schema=False)


def described(app: FastAPI) -> Callable[[Request], Response]:
    def describe(request: Request) -> Response:
        document = app.openapi()
        if root := request.scope.get("root_path", "").rstrip("/"):
            document = {**document, "servers": [{"url": root}, *document.get("servers", [])]}
        return answer(request, document, {"Cache-Control": EACH_TIME})

    return describe


def shown(page: Page, app: FastAPI) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        root: str = request.scope.get("root_path", "").rstrip("/")
        nonce = token_urlsafe(16)
        content = HTML.format(
            title=escape(app.title),
            icon=address(root, "favicon.svg"),
            styles="\n".join(f'<link rel="stylesheet" href="{address(root, name)}">' for name in page.styles),
            scripts="\n".join(
                f'<script nonce="{nonce}" src="{address(root, name)}"></script>' for name in page.scripts
            ),
            openapi=escape(f"{root}{app.openapi_url}"),
        )
        headers = {
            "Cache-Control": EACH_TIME,
            "Content-Security-Policy": POLICY.format(nonce=nonce),
        }
        return HTMLResponse(content, headers=headers)

    return show


def address(root: str, name: str) -> str:
    """Where an asset is, in the version that this process has, to be written into a page."""
    return escape(f"{root}/assets/{name}?v={assets()[name].version}")


def asset(request: Request) -> Response:
    found = assets().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    current = request.query_params.get("v") == found.version
    etag = f'W/"{found.version}"'
    headers = {
        "Cache-Control": FOREVER if current else EACH_TIME,
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if taken(request.headers.get("Accept-Encoding", "")).gzip:
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, headers=headers, media_type=found.media_type)
    return Response(gzip.decompress(found.packed), headers=headers, media_type=found.media_type)


@cache
def assets() -> dict[str, Asset]:
    """Every file the pages may ask for, by its path below the folder."""
    found = {}
    for file in FOLDER.rglob("*"):
        if media_type := TYPES.get(file.suffix):
            content = file.read_bytes()
            version = sha256(content).hexdigest()[:16]
            name = file.relative_to(FOLDER).as_posix()
            found[name] = Asset(gzip.compress(content, mtime=0), media_type, version)
    return found
