"""The resources, each with the verbs that it has."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar, Unpack

import orjson

from backend.client.chunks import Item, Names, Refused
from backend.client.connection import AS_JSON, Call, Connection, Json
from backend.client.failures import UnexpectedAnswer
from backend.client.ingestion import AsyncIngestion, Options
from backend.client.streams import AsyncStream

T = TypeVar("T")
Items = Iterable[Item | Refused] | AsyncIterable[Item | Refused]


def listed(
    connection: Connection, path: str, query: Mapping[str, Any], read: Callable[[Json], T]
) -> AsyncStream[T]:
    """All of a list, a page at a time."""

    async def pages() -> AsyncGenerator[Sequence[T], None]:
        call = Call("GET", path, query)
        while True:
            response = await connection.answer(call)
            yield [read(document) for document in connection.decoded(response)]
            if (following := response.links.get("next")) is None:
                return
            call = Call("GET", following["url"])

    return AsyncStream(pages)


def as_it_is(document: Json) -> Json:
    return document


class AsyncResource:
    path: str

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, document: Item, /, **query: Any) -> Json:
        return await self._document(Call.post(self.path, document, **query))

    async def get(self, document_id: str) -> Json:
        return await self._document(Call("GET", self.path + document_id))

    async def patch(self, document_id: str, changes: Item) -> Json:
        """A merge patch. Not repeated once it may have been carried out: others may have changed it since."""
        return await self._document(self._written("PATCH", document_id, changes))

    async def delete(self, document_id: str) -> None:
        await self._connection.answer(Call("DELETE", self.path + document_id))

    def _written(self, method: str, document_id: str, changes: Item) -> Call:
        return Call(method, self.path + document_id, body=orjson.dumps(changes, option=AS_JSON))

    async def _document(self, call: Call) -> Json:
        document = await self._connection.json(call)
        if not isinstance(document, dict):
            raise UnexpectedAnswer(self._connection.url, "no document")
        return document

    def _list(self, path: str, query: Mapping[str, Any]) -> AsyncStream[Json]:
        return listed(self._connection, path, query, as_it_is)


class Listed(AsyncResource):
    def list(self, /, **query: Any) -> AsyncStream[Json]:
        """All of them, a page of `limit` (100) at a time."""
        return self._list(self.path, query)


class Replaced(AsyncResource):
    async def replace(self, document_id: str, fields: Item) -> Json:
        """Each of these fields anew; what is not named stays."""
        return await self._document(self._written("PUT", document_id, fields))


class OfUsers(AsyncResource):
    def of_user(self, user_id: str, /, **query: Any) -> AsyncStream[Json]:
        return self._list(f"{self.path}user/{user_id}", query)


class OfJobs(AsyncResource):
    def of_job(self, job_id: str, /, **query: Any) -> AsyncStream[Json]:
        return self._list(f"{self.path}job/{job_id}", query)


class Exported(AsyncResource):
    def export_lines(self, /, *, cursor: str | None = None, **query: Any) -> AsyncStream[bytes]:
        """All of them in the order of their ids, as lines of JSON; after the id `cursor`, if there is one."""
        call = Call("GET", f"{self.path}export", query)
        return AsyncStream(lambda: self._connection.lines(call, cursor))

    def export(self, /, *, cursor: str | None = None, **query: Any) -> AsyncStream[Json]:
        """All of them in the order of their ids; after the id `cursor`, if there is one."""
        lines = self.export_lines(cursor=cursor, **query)

        async def documents() -> AsyncGenerator[list[Json], None]:
            async with aclosing(lines.batches()) as batches:
                async for batch in batches:
                    yield [orjson.loads(line) for line in batch]

        return AsyncStream(documents)


class Ingested(AsyncResource):
    names: Names
    """What tells one document from another: of each, one of these."""

    def ingest(self, items: Items, **options: Unpack[Options]) -> AsyncIngestion:
        """Send items of any number, in chunks. See `Options`."""
        return self._ingestion(items, None, options)

    def _ingestion(self, items: Items, run_id: str | None, options: Options) -> AsyncIngestion:
        path = f"{self.path}bulk"
        return AsyncIngestion(self._connection, path, self.names, items, run_id=run_id, **options)


class AsyncUsers(Listed, Replaced, Exported):
    path = "/users/"

    async def stats(self, user_id: str) -> Json:
        return await self._document(Call("GET", f"{self.path}{user_id}/stats"))


class AsyncJobs(Listed, Replaced, Exported, Ingested):
    path = "/jobs/"
    names = (("external_id",),)

    def ingest(self, items: Items, run_id: str | None = None, **options: Unpack[Options]) -> AsyncIngestion:
        """Send items of any number, in chunks; in an open ingest run, if one is named. See `Options`."""
        return self._ingestion(items, run_id, options)


class AsyncMatches(Listed, OfUsers, OfJobs, Exported, Ingested):
    path = "/job-matches/"
    names = (("user_id", "user_email"), ("job_id", "job_external_id"))


class AsyncSavedSearches(Replaced, OfUsers):
    path = "/saved-searches/"


class AsyncInteractions(OfUsers, OfJobs, Exported, Ingested):
    path = "/interactions/"
    names = (*AsyncMatches.names, ("interaction_type",))
