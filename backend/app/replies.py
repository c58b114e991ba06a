"""How documents become answers: their JSON, entity tags, pages with a link to the next."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from urllib.parse import urlencode

from bson import ObjectId
from fastapi import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from backend.app.db.collection import Collection
from backend.app.db.exports import Export
from backend.app.db.feed import Feed
from backend.app.db.jobs import Jobs
from backend.app.db.paging import Page, Where
from backend.app.db.ranking import SCORE, Ranking
from backend.app.db.schema import JOBS, MATCHES
from backend.app.deps import BEST, FeedQuery, FoundListQuery, ListQuery
from backend.app.envelope import IS_HEAD
from backend.app.errors import Invalid, SlowReader
from backend.app.models.base import Document
from backend.app.models.conditions import JobQuery
from backend.app.models.scores import Score
from backend.app.models.view import NOTHING, View, entity_tag, to_json

JSON = "application/json"
NO_SCORE = {"pointer": "/query/sort", "detail": "To sort by score takes words in q", "code": "no_score"}


def one(collection: Collection, document: Document, *, if_none_match: str | None = None) -> Response:
    content = collection.spec.render(document)
    tag = collection.spec.entity_tag(document, content)
    if if_none_match is not None and _held(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, headers={"ETag": tag}, media_type=JSON)


def created(collection: Collection, document: Document, path: str) -> Response:
    content = collection.spec.render(document)
    tag = collection.spec.entity_tag(document, content)
    headers = {"ETag": tag, "Location": f"{path}{document['_id']}"}
    return Response(content, 201, headers, JSON)


def answer(request: Request, content: object, headers: Mapping[str, str] = NOTHING) -> Response:
    """What is not one stored document, as JSON: bytes that are that already, or what is to become so."""
    raw = content if isinstance(content, bytes) else to_json(content)
    tagged = {**headers, "ETag": entity_tag(raw, headers)}
    held = request.headers.get("If-None-Match")
    if held is not None and _held(tagged["ETag"], held):
        return Response(status_code=304, headers=tagged)
    return Response(raw, headers=tagged, media_type=JSON)


async def listed(request: Request, collection: Collection, query: ListQuery, where: Where) -> Response:
    page = await collection.page(where, query.limit, query.cursor)
    total = await collection.count(where) if query.count else None
    return paged(request, page, map(collection.spec.view, page.documents), total)


async def postings(request: Request, jobs: Jobs, query: FoundListQuery, asked: JobQuery) -> Response:
    """Postings that match, in the order and with the fields that are asked for."""
    order = query.order(asked)
    if order == BEST:
        if not Score.of(asked).words:
            raise Invalid("The request has 1 fault", faults=[NO_SCORE])
        page = await Ranking(jobs, asked).page(query.limit, query.cursor, query.fields)
    else:
        page = await jobs.search(asked, order, query.limit, query.cursor, query.fields)
    total = await jobs.count_matching(asked) if query.count else None
    return paged(request, page, found_jobs(jobs.spec.view, page.documents, query.fields), total)


def found_jobs(view: View, documents: Iterable[Document], fields: Sequence[str] = ()) -> Iterator[Document]:
    """Postings as a list shows them: with their score if it has one, and with some fields only if asked."""
    for document in documents:
        seen = view(document)
        if fields:
            seen = {name: seen[name] for name in ("id", *fields) if name in seen}
        if SCORE in document:
            seen[SCORE] = document[SCORE]
        yield seen


async def fed(request: Request, feed: Feed, query: FeedQuery) -> Response:
    """A user's matches, each with its posting if that is asked for."""
    page = await feed.page(query.limit, query.cursor)
    jobs = await feed.postings(page.documents) if query.expand else None
    total = await feed.count() if query.count else None
    return paged(request, page, _with_jobs(page.documents, jobs), total)


def _with_jobs(matches: Iterable[Document], jobs: Mapping[ObjectId, Document] | None) -> Iterator[Document]:
    for match in matches:
        seen = MATCHES.view(match)
        if jobs is not None:
            job = jobs.get(match["job_id"])
            seen = {**seen, "job": job and JOBS.view(job)}
        yield seen


def paged(request: Request, page: Page, shown: Iterable[Document], total: int | None) -> Response:
    headers = {}
    if page.next is not None:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        target = f"{request.url.path}?{urlencode([*kept, ('cursor', page.next)])}"
        headers["Link"] = f'<{target}>; rel="next"'
    if total is not None:
        headers["X-Total-Count"] = str(total)
    return answer(request, list(shown), headers)


async def exported(export: Export, cursor: ObjectId | None) -> Response:
    await export.begin(cursor)
    return Lines(export.lines(), export.mongo.settings.bulk_deadline)


class Lines(StreamingResponse):
    """NDJSON, sent as it is made; ended when the client goes away, or takes too long for a piece of it."""

    media_type = "application/x-ndjson"

    def __init__(self, pieces: AsyncGenerator[bytes, None], seconds: float) -> None:
        super().__init__(pieces)
        self.pieces = pieces
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get(IS_HEAD):
            # Not as a response of no bytes, which would tell that as the length.
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body"})
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
