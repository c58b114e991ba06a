"""Answers in gzip for clients that take it: how that is settled, and what becomes of the entity tags."""

import asyncio
import re
import zlib
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES = 1024
"""Less fits into one packet either way."""
LEVEL = 2
GZIP_FORMAT = zlib.MAX_WBITS | 16
# Packed in a fraction of a millisecond, in which every other request waits; more is for a thread.
BYTES_ON_THE_LOOP = 64 * 1024
TYPES = (
    b"application/json",
    b"application/problem+json",
    b"application/x-ndjson",
    b"image/svg+xml",
    b"text/",
)
VARY = (b"vary", b"Accept-Encoding")
# A strong tag stands for bytes, and these are others; see docs/decisions/caching.md.
PLAIN_END, CODED_END = b'"', b'-gzip"'
WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


class Taken(NamedTuple):
    """What a client says that it takes."""

    gzip: bool
    plain: bool = True


PLAIN_ONLY = Taken(gzip=False)
Headers = list[tuple[bytes, bytes]]


def taken(accept_encoding: str) -> Taken:
    """What `Accept-Encoding` asks for; a weight that is none counts as a refusal."""
    weights: dict[str, float] = {}
    for part in accept_encoding.split(","):
        coding, _, parameter = part.partition(";")
        weight = WEIGHT.fullmatch(parameter) if parameter else None
        weights[coding.strip().lower()] = float(weight[1]) if weight else float(not parameter)
    anything = weights.get("*", 0.0)
    gzip = weights.get("gzip", weights.get("x-gzip", anything))
    plain = weights.get("identity", weights.get("*"))
    return Taken(gzip > 0 and gzip >= (plain or 0), plain is None or plain > 0)


class Compression:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        accept_encoding = held_tags = b""
        by_tag = False
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                accept_encoding += b"," + value
            elif name == b"if-none-match":
                held_tags += b"," + value
            elif name == b"if-match":
                by_tag = True
        takes = taken(accept_encoding.decode("latin-1")) if accept_encoding else PLAIN_ONLY
        if by_tag or held_tags:
            scope = {**scope, "headers": with_plain_tags(scope["headers"], takes)}
        await self.app(scope, receive, Packing(send, takes, held_tags))


def with_plain_tags(headers: Headers, takes: Taken) -> Headers:
    """The headers of a request with the tags that answers have before they are packed.

    Who was given the tag of a packed answer may change the document by it, whatever they take now. But they
    do not hold a plain one, if that is what they would get.
    """
    names = (b"if-match", b"if-none-match") if takes.gzip else (b"if-match",)
    return [
        (name, value.replace(CODED_END, PLAIN_END) if name in names else value) for name, value in headers
    ]


class Packing:
    """What the answer to one request is sent through."""

    __slots__ = ("held_back", "held_tags", "packer", "send", "takes")

    def __init__(self, send: Send, takes: Taken, held_tags: bytes) -> None:
        self.send = send
        self.takes = takes
        self.held_tags = held_tags
        self.packer: zlib._Compress | None = None
        self.held_back: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begin(message)
            if self.held_back is None:
                await self.send(message)
        elif self.packer is None or message["type"] != "http.response.body":
            await self.send(message)
        else:
            more = message.get("more_body", False)
            packed = await self.packed(self.packer, message.get("body", b""), more)
            if self.held_back is not None:
                if not more:
                    self.held_back["headers"].append((b"content-length", b"%d" % len(packed)))
                await self.send(self.held_back)
                self.held_back = None
            await self.send({**message, "body": packed})

    def begin(self, message: Message) -> None:
        """Decide whether to pack it. One whose length is told waits for its body, to tell the new one."""
        headers = message["headers"]
        about = dict(headers)
        packable = b"content-encoding" not in about and about.get(b"content-type", b"").startswith(TYPES)
        if (packable or message["status"] == 304) and b"Accept-Encoding" not in about.get(b"vary", b""):
            headers.append(VARY)
        if message["status"] == 304:
            tag = coded(about.get(b"etag", b""))
            if tag in self.held_tags:
                message["headers"] = [(name, tag if name == b"etag" else value) for name, value in headers]
        elif packable:
            length = about.get(b"content-length")
            least = LEAST_BYTES if self.takes.plain else 1
            if self.takes.gzip and (length is None or int(length) >= least):
                self.packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_FORMAT)
                message["headers"] = headers_of_packed(headers)
                if length is not None:
                    self.held_back = message

    @staticmethod
    async def packed(packer: "zlib._Compress", body: bytes, more: bool) -> bytes:
        def pack() -> bytes:
            # What is sent must be readable at once: lines come as they are made.
            return packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)

        return pack() if len(body) <= BYTES_ON_THE_LOOP else await asyncio.to_thread(pack)


def headers_of_packed(headers: Headers) -> Headers:
    kept = [
        (name, coded(value) if name == b"etag" else value)
        for name, value in headers
        if name != b"content-length"
    ]
    return [*kept, (b"content-encoding", b"gzip")]


def coded(tag: bytes) -> bytes:
    """The tag of the packed bytes. A weak one stands for both."""
    return tag.removesuffix(PLAIN_END) + CODED_END if tag.startswith(b'"') else tag
