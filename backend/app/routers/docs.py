"""The pages at `/docs` and `/redoc`: all they load is in `app/assets` and served from here."""

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
    for page in PAGES:
        for path in (page.path, f"{page.path}/"):
            app.add_route(path, shown(page, app), include_in_schema=False)
    app.add_route("/assets/{name:path}", asset, include_in_schema=False)


def shown(page: Page, app: FastAPI) -> Callable[[Request], Response]:
    def show(request: Request) -> Response:
        root: str = request.scope.get("root_path", "").rstrip("/")
        nonce = token_urlsafe(16)

        def address(name: str) -> str:
            return escape(f"{root}/assets/{name}?v={assets()[name].version}")

        content = HTML.format(
            title=escape(app.title),
            icon=address("favicon.svg"),
            styles="\n".join(f'<link rel="stylesheet" href="{address(name)}">' for name in page.styles),
            scripts="\n".join(
                f'<script nonce="{nonce}" src="{address(name)}"></script>' for name in page.scripts
            ),
            openapi=escape(f"{root}{app.openapi_url}"),
        )
        headers = {
            "Cache-Control": EACH_TIME,
            "Content-Security-Policy": POLICY.format(nonce=nonce),
        }
        return HTMLResponse(content, headers=headers)

    return show


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
    if "gzip" in request.headers.get("Accept-Encoding", ""):
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
