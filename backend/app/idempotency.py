"""`Idempotency-Key`: how it is read, what a request is known by, and how its first answer is given again."""

import re
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from fastapi import Request
from starlette.responses import Response

from backend.app.db.answers import Answer, look, note, once
from backend.app.db.mongo import deadline
from backend.app.errors import InvalidIdempotencyKey

HEADER = "idempotency-key"
LONGEST_KEY = 255
FIT = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
REPLAYED = {"Idempotent-Replayed": "true"}


def idempotency_key(request: Request) -> str | None:
    """The key of a request, if it has one."""
    sent = request.headers.getlist(HEADER)
    if not sent:
        return None
    if len(sent) > 1 or not FIT.fullmatch(sent[0]):
        raise InvalidIdempotencyKey(
            f"Idempotency-Key should be one of 1 to {LONGEST_KEY} visible ASCII characters"
        )
    return sent[0]


def fingerprint(request: Request) -> blake2b:
    """Tells a request from any other, by its method, path and query; its body is still to be added."""
    found = blake2b(digest_size=16)
    # Both slash forms are one path.
    path = request.scope["path"].rstrip("/").encode()
    for part in (request.method.encode(), path, request.scope["query_string"]):
        found.update(len(part).to_bytes(8) + part)
    return found


async def answered_once(
    request: Request,
    key: str,
    body: bytes | bytearray,
    effect: Callable[[], Awaitable[Response]],
    seconds: float | None = None,
) -> Response:
    """The response that `effect` makes, or what it was when this request was first made."""

    async def answer() -> Answer:
        return answer_of(await effect())

    digest = fingerprint(request)
    digest.update(body)
    found, again = await once(request.app.state.mongo, key, digest.digest(), answer, seconds)
    return response_of(found, again=again)


async def answered_alike(request: Request, effect: Callable[[], Awaitable[Response]]) -> Response:
    """As `answered_once`, for what takes more than a transaction and comes to the same when done again."""
    key = idempotency_key(request)
    if key is None:
        return await effect()
    mongo, this = request.app.state.mongo, fingerprint(request).digest()
    with deadline(mongo.settings.request_deadline):
        found = await look(mongo, key, this)
    if found is not None:
        return response_of(found, again=True)
    response = await effect()
    with deadline(mongo.settings.request_deadline):
        await note(mongo, key, this, answer_of(response))
    return response


def answer_of(response: Response) -> Answer:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Answer(response.status_code, headers, bytes(response.body))


def response_of(answer: Answer, *, again: bool) -> Response:
    return Response(answer.body, answer.status, {**answer.headers, **(REPLAYED if again else {})})
