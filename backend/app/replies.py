"""How documents become answers: their JSON, entity tags, pages with a link to the next."""

from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from backend.app.db.collection import Collection
from backend.app.db.paging import Where
from backend.app.deps import ListQuery
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


def _held(tag: str, if_none_match: str) -> bool:
    # Weak comparison, as RFC 9110 has it for If-None-Match.
    tags = {held.strip().removeprefix("W/") for held in if_none_match.split(",")}
    return tag in tags or "*" in tags
