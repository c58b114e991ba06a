"""The first answer to each Idempotency-Key, noted in the same transaction as what it answers for."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from backend.app.db.ambient import joined
from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo, Session
from backend.app.db.schema import ANSWERS
from backend.app.db.transactions import transaction
from backend.app.errors import Failure, InProgress, KeyReused
from backend.app.models.base import Document, now

WRITE_CONFLICT = 112


@dataclass(frozen=True)
class Answer:
    """What a client was told, to be told again."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def once(
    mongo: Mongo,
    key: str,
    request: bytes,
    effect: Callable[[], Awaitable[Answer]],
    seconds: float | None = None,
) -> tuple[Answer, bool]:
    """The answer that `effect` comes to, or came to when this request was first made; and whether it did."""

    async def work(session: Session) -> tuple[Answer, bool]:
        # Looked for inside the transaction: what a transaction begins with is run even after the stall in
        # which it was given up, and then nobody ends it. A read locks nothing, as the key would be.
        if (noted := await look(mongo, key, request)) is not None:
            return noted, True
        await _claim(mongo, key, request)
        try:
            answer = await effect()
        except Failure as failure:
            # The key is free again before the client hears of it, to be sent with the mended request.
            if failure.status < 500:
                with suppress(PyMongoError):
                    await session.abort_transaction()
            raise
        await note(mongo, key, request, answer)
        return answer, False

    with driver_errors():
        return await transaction(mongo, work, seconds)


async def look(mongo: Mongo, key: str, request: bytes) -> Answer | None:
    """What is noted under a key, unless that is the answer to another request."""
    with driver_errors():
        found = await mongo[ANSWERS.name].find_one({"_id": key}, session=joined())
    if found is None:
        return None
    if found["request"] != request:
        raise KeyReused
    return Answer(found["status"], found["headers"], found["body"])


async def note(mongo: Mongo, key: str, request: bytes, answer: Answer) -> None:
    fields = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    with driver_errors():
        await mongo.write(
            ANSWERS.name, "replace_one", {"_id": key}, _record(key, request) | fields, upsert=True
        )


async def _claim(mongo: Mongo, key: str, request: bytes) -> None:
    """Keep every other request from using the key until this one is through."""
    try:
        await mongo.write(ANSWERS.name, "insert_one", _record(key, request))
    except OperationFailure as error:
        if isinstance(error, DuplicateKeyError) or error.code == WRITE_CONFLICT:
            raise InProgress from None
        raise


def _record(key: str, request: bytes) -> Document:
    return {"_id": key, "request": request, "at": now()}
