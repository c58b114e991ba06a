"""What surrounds every request: its id, who may keep the answer, and one even when the app has a fault."""

import logging
import random
import re
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.app.errors import Failure, Internal, from_failure
from backend.app.logs import request_id

HEADER = b"x-request-id"
IS_HEAD = "aijobhunt.is_head"
"""In the scope: that nobody will see the body, so that a long one need not be made."""
ACCEPTABLE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# What the client may keep of an answer that does not say so itself: what it can ask after by its tag.
TO_REVALIDATE = (b"cache-control", b"private, no-cache")
NOT_TO_KEEP = (b"cache-control", b"no-store")

log = logging.getLogger(__name__)


class Envelope:
    def __init__(self, app: ASGIApp, around: Callable[[ASGIApp], ASGIApp] | None = None) -> None:
        """What else is to be `around` the app is around the answer to its fault, too."""
        self.app = around(app) if around else app
        self.fault = around(_fault) if around else _fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # No secret, only distinct: asking the system for randomness would cost a fifth of a request.
        this = _sent_id(scope) or f"{random.getrandbits(64):016x}"
        token = request_id.set(this)
        is_head = scope["method"] == "HEAD"
        reads = is_head or scope["method"] == "GET"
        if is_head:
            scope = {**scope, "method": "GET", IS_HEAD: True}
        started = False

        async def send_enveloped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                about = dict(headers)
                headers.append((HEADER, this.encode()))
                if b"cache-control" not in about:
                    headers.append(TO_REVALIDATE if reads and b"etag" in about else NOT_TO_KEEP)
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, send_enveloped)
        except Exception as error:
            if started and isinstance(failure := error.__cause__, Failure):
                # What has begun cannot be taken back. To return without its end makes the server cut the
                # connection, and that is how the client learns of it.
                log.warning("Cut off: %s: %s", failure.code, failure.reason)
                return
            log.exception("The app has a fault")
            if started:
                raise
            await self.fault(scope, receive, send_enveloped)
        finally:
            request_id.reset(token)


async def _fault(scope: Scope, receive: Receive, send: Send) -> None:
    await from_failure(Internal())(scope, receive, send)


def _sent_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER and ACCEPTABLE.fullmatch(value):
            return str(value, "ascii")
    return None
