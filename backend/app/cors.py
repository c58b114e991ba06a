"""Which pages of other origins may use the service: none, unless a setting names them."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from backend.app.errors import CrossOrigin, from_failure
from backend.app.openapi.headers import HEADERS

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
MAY_SEND = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-API-Key",
    "X-Request-ID",
)
# The document describes this one twice.
MAY_READ = sorted(HEADERS.keys() - {"Retry-After-Key"})
SECONDS_TO_REMEMBER = 600


class Cors(CORSMiddleware):
    """Starlette's, whose refusals are problems here. Cookies are never asked for: nobody is known by one."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=MAY_SEND,
            expose_headers=MAY_READ,
            max_age=SECONDS_TO_REMEMBER,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        told = super().preflight_response(request_headers)
        response = Response(status_code=204) if told.status_code == 200 else from_failure(CrossOrigin())
        for name, value in told.headers.items():
            if not name.startswith("content-"):
                response.headers[name] = value
        return response
