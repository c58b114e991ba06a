"""What can go wrong on the way to an answer, and problem documents as exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
import orjson

KNOWN = {"type", "title", "status", "detail", "code", "request_id", "errors"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an item: where (a JSON Pointer), in words for people and in one for programs."""

    pointer: str
    detail: str
    code: str

    @classmethod
    def read(cls, told: Mapping[str, str]) -> Self:
        return cls(told["pointer"], told["detail"], told["code"])


class ClientFailure(Exception):
    """Anything that this client raises about a request."""

    retry_after: float | None = None
    """Seconds that the server asks to be left alone."""


class NoAnswer(ClientFailure):
    """Nobody answered, or not in time, or the connection broke."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"No answer from {url} ({reason})")
        self.url = url

    @classmethod
    def because(cls, error: httpx.TransportError, url: str) -> Self:
        # The name says more than httpx's own words, which are empty for timeouts.
        return cls(url, str(error) or type(error).__name__)


class UnexpectedAnswer(ClientFailure):
    """An answer that this API does not give: some other server, or a release that is too far away."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} answers as AI Job Hunt does not: {reason}")
        self.url = url


class ApiProblem(ClientFailure):
    """A failure that the API tells of."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[Fault, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}" if code else f"{status}: {detail}")
        self.status = status
        self.code = code
        """For programs; empty when the answer was no problem document, as from a proxy."""
        self.detail = detail
        self.errors = errors
        self.request_id = request_id
        self.retry_after = retry_after
        self.members: Mapping[str, Any] = members or {}
        """What else the problem says, such as `would_close`."""

    @classmethod
    def read(cls, response: httpx.Response) -> Self:
        try:
            told = orjson.loads(response.content)
            faults = tuple(Fault.read(fault) for fault in told.get("errors", ()))
        except (ValueError, AttributeError, KeyError, TypeError):
            told, faults = {}, ()
        return cls(
            response.status_code,
            str(told.get("code", "")),
            str(told.get("detail", response.reason_phrase)),
            errors=faults,
            request_id=told.get("request_id") or response.headers.get("x-request-id"),
            retry_after=seconds(response.headers.get("retry-after")),
            members={name: value for name, value in told.items() if name not in KNOWN},
        )


def seconds(retry_after: str | None) -> float | None:
    """What Retry-After says, in seconds or as a date."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
