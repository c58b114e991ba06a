"""How documents become answers: their JSON, entity tags, pages with a link to the next."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlencode

from bson import ObjectId
from fastapi import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from backend.app.db.collection import Collection
from backend.app.db.exports import Export
from backend.app.db.paging import Where
from backend.app.deps import ListQuery
from backend.app.envelope import IS_HEAD
from backend.app.errors import SlowReader
from backend.app.models.base import Document
from backend.app.models.view import entity_tag, to_json

JSON = "application/json"


def one(collection: Collection, document: Document, *, if_none_match: str | None = None) -> Response:
    content = collection.spec.render(document)
    tag = entity_tag(content)
    if if_none_match is not None and _held(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, headers={"ETag": tag}, media_type=JSON)


def created(collection: Collection, document: Document, path: str) -> Response:
    content = collection.spec.render(document)
    headers = {"ETag": entity_tag(content), "Location": f"{path}{document['_id']}"}
    return Response(content, 201, headers, JSON)


async def listed(request: Request, collection: Collection, query: ListQuery, where: Where) -> Response:
    page = await collection.page(where, query.limit, query.cursor)
    view = collection.spec.view
    response = Response(to_json([view(document) for document in page.documents]), media_type=JSON)
    if page.next is not None:
        kept = [(name, value) for name, value in request.query_params.items() if name != "cursor"]
        target = f"{request.url.path}?{urlencode([*kept, ('cursor', page.next)])}"
        response.headers["Link"] = f'<{target}>; rel="next"'
    if query.count:
        response.headers["X-Total-Count"] = str(await collection.count(where))
    return response


async def exported(collection: Collection, where: Where, cursor: ObjectId | None) -> Response:
    export = Export(collection, where)
    await export.begin(cursor)
    return Lines(export.lines(), collection.mongo.settings.bulk_deadline)


class Lines(StreamingResponse):
    """NDJSON, sent as it is made; ended when the client goes away, or takes too long for a piece of it."""

    media_type = "application/x-ndjson"

    def __init__(self, pieces: AsyncGenerator[bytes, None], seconds: float) -> None:
        super().__init__(pieces)
        self.pieces = pieces
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get(IS_HEAD):
            await Response(headers=self.headers)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(self.seconds):
                    await send(message)
            except TimeoutError:
                raise SlowReader from None

        # Else what it has under way would go on until somebody collects it.
        async with aclosing(self.pieces):
            await super().stream_response(send_in_time)


def _held(tag: str, if_none_match: str) -> bool:
    # Weak comparison, as RFC 9110 has it for If-None-Match.
    tags = {held.strip().removeprefix("W/") for held in if_none_match.split(",")}
    return tag in tags or "*" in tags
