"""Talk to a server by HTTP; what goes wrong there, in words that help."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from backend.cli.failure import CommandFailed
from backend.client import ApiProblem, Client, ClientFailure, NoAnswer, Retry


@contextmanager
def connected(url: str | None, say: Callable[[str], None]) -> Iterator[Client]:
    """A client of a server that is there."""

    def noticed(failure: ClientFailure, seconds: float) -> None:
        say(f"{failure}; trying again in {seconds:.1f} s")

    try:
        client = Client(url, retry=Retry(noticed=noticed))
    except (httpx.InvalidURL, ValueError) as error:
        raise CommandFailed(f"The address of the server is not understood: {error}") from None
    with client:
        try:
            client.require_answer()
        except NoAnswer as failure:
            raise CommandFailed(
                f"{failure}.\nStart a server with `aijobhunt serve`, or name one with --url or AIJOBHUNT_URL."
            ) from failure
        except ClientFailure as failure:
            raise CommandFailed(f"{failure}.\nName the server with --url or AIJOBHUNT_URL.") from failure
        yield client


def explained(failure: ClientFailure) -> str:
    """With what finds it in the server's log."""
    if isinstance(failure, ApiProblem):
        faults = "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in failure.errors)
        known = f" (request {failure.request_id})" if failure.request_id else ""
        return f"The server answers {failure}{known}{faults}"
    return str(failure)
