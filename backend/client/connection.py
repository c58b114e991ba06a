"""One server: requests made until they are answered, and long answers read on where they broke off."""

import asyncio
import os
import uuid
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import orjson

from backend.client.failures import ApiProblem, NoAnswer, UnexpectedAnswer
from backend.client.retrying import Retry, worth_another_try

T = TypeVar("T")
Json = dict[str, Any]

URL = "http://127.0.0.1:8000"
URL_VARIABLE = "AIJOBHUNT_URL"
# A bulk call may take its time on a busy server; whoever does not answer at all is found out by connecting.
TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# Numbers that scripts compute are often NumPy's; times without a zone are taken as UTC by the API too.
AS_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


@dataclass(frozen=True)
class Call:
    """A request as it is made each time anew: a retry has the same body and the same key."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    key: str | None = None

    @property
    def repeatable(self) -> bool:
        return self.method == "GET" or self.key is not None

    @classmethod
    def post(cls, path: str, document: object = None, **query: Any) -> "Call":
        """A POST under a key of its own, so that it can be repeated."""
        body = None if document is None else orjson.dumps(document, option=AS_JSON)
        return cls("POST", path, query, body, uuid.uuid4().hex)


class Connection:
    def __init__(
        self,
        url: str | None,
        *,
        api_key: str | None,
        headers: Mapping[str, str] | None,
        timeout: float | httpx.Timeout,
        retry: Retry,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.AsyncClient(
            base_url=url or os.environ.get(URL_VARIABLE) or URL,
            headers={**authorization, **(headers or {})},
            timeout=timeout,
            transport=transport,
        )
        self.retry = retry
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """Where the server is; without the password that may be in its address."""
        return str(self._http.base_url.copy_with(userinfo=b"")).rstrip("/")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do this meanwhile; it ends with the connection at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def answer(self, call: Call) -> httpx.Response:
        """The answer, once there is one that is no failure; else the failure is raised."""
        return await self._successful(call)

    async def json(self, call: Call) -> Any:
        return self.decoded(await self.answer(call))

    def decoded(self, response: httpx.Response) -> Any:
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise UnexpectedAnswer(self.url, "no JSON") from None

    async def once(self, path: str) -> httpx.Response:
        """The answer to a first question: nobody there is told at once."""
        response = await self._sent(Call("GET", path), stream=False)
        if isinstance(response, httpx.TransportError):
            raise NoAnswer.because(response, self.url) from response
        return response

    async def lines(self, call: Call, cursor: str | None) -> AsyncGenerator[list[bytes], None]:
        """All lines of a long answer, as they come in; broken off, it goes on after the last line's id."""
        attempt = 1
        while True:
            query = call.query if cursor is None else {**call.query, "cursor": cursor}
            response = await self._successful(Call(call.method, call.path, query), stream=True)
            last = b""
            try:
                async for lines in whole_lines(response):
                    last = lines[-1]
                    attempt = 1
                    yield lines
            except httpx.TransportError as error:
                broken = NoAnswer.because(error, self.url)
            else:
                return
            finally:
                await response.aclose()
            cursor = self._id_of(last) if last else cursor
            await self.retry.pause(broken, attempt)
            attempt += 1

    def _id_of(self, line: bytes) -> str:
        try:
            return str(orjson.loads(line)["id"])
        except (ValueError, KeyError, TypeError):
            raise UnexpectedAnswer(self.url, "a line without an id") from None

    async def _successful(self, call: Call, *, stream: bool = False) -> httpx.Response:
        attempt = 1
        while True:
            failure: NoAnswer | ApiProblem
            response = await self._sent(call, stream=stream)
            if isinstance(response, httpx.TransportError):
                failure = NoAnswer.because(response, self.url)
                again = worth_another_try(response, repeatable=call.repeatable)
            elif response.is_success:
                return response
            else:
                failure = ApiProblem.read(response)
                again = worth_another_try(failure, repeatable=call.repeatable)
            if not again:
                raise failure
            await self.retry.pause(failure, attempt)
            attempt += 1

    async def _sent(self, call: Call, *, stream: bool) -> httpx.Response | httpx.TransportError:
        """One attempt. A failure is always read whole."""
        headers = {"Content-Type": "application/json"} if call.body is not None else {}
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
        query = {name: shown(value) for name, value in call.query.items() if value is not None}
        request = self._http.build_request(
            call.method, call.path, params=query or None, content=call.body, headers=headers
        )
        try:
            response = await self._http.send(request, stream=stream)
            if stream and not response.is_success:
                await response.aread()
                await response.aclose()
        except httpx.TransportError as error:
            return error
        return response


async def whole_lines(response: httpx.Response) -> AsyncGenerator[list[bytes], None]:
    """Lines as they are complete, without their ends: as many at a time as came in."""
    rest = b""
    async for piece in response.aiter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        if lines := [line for line in lines if line]:
            yield lines
    if rest:
        raise httpx.RemoteProtocolError("the answer ends in the middle of a line")


def shown(value: object) -> str | list[str]:
    """As a query has it: each of several by itself."""
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
