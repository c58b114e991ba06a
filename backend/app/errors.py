"""Every failure with its status and code, and the one place where failures become problem documents."""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route

from backend.app.logs import request_id
from backend.app.models.faults import Fault, faults_of
from backend.app.models.view import to_json

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 50
RETRY_AFTER = "1"

log = logging.getLogger(__name__)


class Failure(Exception):
    """Something a client is told about: what went wrong, in words for people and in one for programs."""

    status: ClassVar[int]
    code: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        detail: str,
        *,
        faults: Sequence[Mapping[str, str]] = (),
        members: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.members = members
        """What the problem says beyond what all of them do: extension members, in the words of RFC 9457."""

    @property
    def reason(self) -> str:
        """For the log: what was behind it, without what the driver appends of its own state."""
        return re.split(r", (full error|Timeout): ", str(self.__cause__ or self.detail))[0]


class MalformedBody(Failure):
    status, code = 400, "malformed_body"


class EmptyUpdate(Failure):
    status, code = 400, "empty_update"

    def __init__(self) -> None:
        super().__init__("No fields provided for update")


class InvalidId(Failure):
    status, code = 400, "invalid_id"


class InvalidIdempotencyKey(Failure):
    status, code = 400, "invalid_idempotency_key"


class InvalidCursor(Failure):
    status, code = 400, "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("The cursor was not issued for this list")


class CrossOrigin(Failure):
    status, code = 403, "cross_origin"

    def __init__(self) -> None:
        super().__init__("Pages of this origin may not send such a request")


class NotFound(Failure):
    status, code = 404, "not_found"


class SlowBody(Failure):
    status, code = 408, "slow_body"


class SlowReader(Failure):
    status, code = 408, "slow_reader"

    def __init__(self) -> None:
        super().__init__("The client did not take the answer in time")


class KeyTaken(Failure):
    status, code = 409, "key_taken"


class InProgress(Failure):
    status, code = 409, "in_progress"
    headers = {"Retry-After": RETRY_AFTER}

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running")


class RunNotOpen(Failure):
    status, code = 409, "run_not_open"


class TooManyToClose(Failure):
    status, code = 409, "too_many_to_close"

    def __init__(self, active: int, would_close: int) -> None:
        super().__init__(
            f"It would close {would_close} of {active} active postings: more than max_close_ratio allows",
            members={"active": active, "would_close": would_close},
        )


class Stale(Failure):
    status, code = 412, "stale"

    def __init__(self) -> None:
        super().__init__("The document has changed since the entity tag in If-Match was given out")


class TooLarge(Failure):
    status, code = 413, "too_large"


class UnsupportedBody(Failure):
    status, code = 415, "unsupported_body"


class Invalid(Failure):
    status, code = 422, "invalid"


class KeyReused(Failure):
    status, code = 422, "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request")


class Internal(Failure):
    status, code = 500, "internal"

    def __init__(self) -> None:
        super().__init__("Something went wrong here; the request id finds it in the log")


class Unavailable(Failure):
    status, code = 503, "unavailable"


class Overdue(Failure):
    status, code = 504, "overdue"

    def __init__(self) -> None:
        super().__init__("The database took longer than this request may")


class Problem(BaseModel):
    """RFC 9457 problem details: how every failure is answered."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "User not found",
                    "code": "not_found",
                    "request_id": "5f0c8f3e9d0b4b6f",
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    """For people."""
    code: str
    """For programs: stable."""
    request_id: str
    """The same as the `X-Request-ID` header, and in every log line of the request."""
    errors: list[Fault] | None = None
    """With 422: one entry per fault, at most 50."""


# As RFC 9110 has them; older Pythons have older names.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def problem(
    status: int,
    code: str,
    detail: str,
    faults: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id.get(),
        **members,
    }
    if faults:
        content["errors"] = faults[:MOST_FAULTS]
    sent = dict(headers or {})
    if status in (429, 503):
        sent.setdefault("Retry-After", RETRY_AFTER)
    return Response(to_json(content), status, sent, MEDIA_TYPE)


def from_failure(failure: Failure) -> Response:
    return problem(
        failure.status, failure.code, failure.detail, failure.faults, failure.headers, failure.members
    )


async def _answer(request: Request, error: Exception) -> Response:
    match error:
        case Failure():
            if error.status >= 500:
                log.warning("%s: %s", error.code, error.reason)
            return from_failure(error)
        case HTTPException(status_code=404):
            return problem(404, "no_such_path", "There is nothing at this path")
        case HTTPException(status_code=405):
            allowed = ", ".join(sorted(_methods_at(request)))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": allowed})
            detail = f"This path answers {allowed} only"
            return problem(405, "method_not_allowed", detail, headers={"Allow": allowed})
        case HTTPException():
            return problem(error.status_code, "http", error.detail, headers=error.headers)
    raise error


def _methods_at(request: Request) -> set[str]:
    """Every method that the path answers: a router by itself names those of the first route it meets."""
    methods = {"OPTIONS"}
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods | {"HEAD"} if "GET" in methods else methods


def invalid(errors: Sequence[Any], *, prefix: tuple[str, ...] = ()) -> Failure:
    """What Pydantic found, as a failure. A malformed id is a 400 by itself, wherever it stands."""
    for error in errors:
        if error["type"] == "invalid_id":
            return InvalidId(error["msg"])
    faults = faults_of(errors[:MOST_FAULTS], prefix)
    noun = "fault" if len(errors) == 1 else "faults"
    return Invalid(f"The request has {len(errors)} {noun}", faults=faults)


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route to declare what it answers besides what every route of its kind does."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    for kind in (Failure, HTTPException):
        app.add_exception_handler(kind, _answer)
