"""The asking: through HTTP, by one client, one question at a time."""

import http.client
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlencode

from backend.app.models.job_filters import JobFilters
from bench.load import HOST, LoadFailed
from bench.search.figures import Depth, Figure
from bench.search.postings import numbered, stored
from bench.search.questions import BEST_OF, DEEP, LIMIT, Asked, Group, Kind

PATIENCE = 60.0
WARM_UP = 5
# Of what can take few values, most are asked for more than once.
TRIES = 20
SECONDS_TO_BE_COUNTED = 90.0
LISTS = ("skill", "remote_type", "source_platform")


class Client:
    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection
        self.took = 0.0
        """By the last answer, until all of it was here, in ms."""
        self.headers: http.client.HTTPMessage = http.client.HTTPMessage()

    def ask(self, path: str, body: Any = None) -> Any:
        begin = time.perf_counter()
        if body is None:
            self.connection.request("GET", path)
        else:
            sent = json.dumps(body)
            self.connection.request("POST", path, sent, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = response.read()
        self.took = (time.perf_counter() - begin) * 1_000
        self.headers = response.headers
        if response.status // 100 != 2:
            raise LoadFailed(f"{path}: {response.status} {answer[:2000]!r}")
        return json.loads(answer)

    @property
    def next(self) -> str:
        link = re.search(r'<([^>]*)>; rel="next"', self.headers.get("Link", ""))
        if link is None:
            raise LoadFailed("a list has come to its end too soon")
        return link[1]


@contextmanager
def client(port: int) -> Iterator[Client]:
    with closing(http.client.HTTPConnection(HOST, port, timeout=PATIENCE)) as connection:
        yield Client(connection)


def questions(kind: Kind, number: int, postings: int) -> list[Asked]:
    """Others each time, as far as there are others."""
    chance = random.Random(kind.title)
    found: dict[str, Asked] = {}
    again: list[Asked] = []
    for _ in range(number * TRIES):
        if len(found) == number:
            break
        asked = kind.ask(chance, postings)
        if found.setdefault(repr(asked), asked) is not asked:
            again.append(asked)
    return [*found.values(), *again][:number]


def answered(client: Client, group: Group, kind: Kind, number: int, postings: int) -> Figure:
    """How long so many questions of a kind took."""
    asked = questions(kind, WARM_UP + number, postings)
    paths = [f"{group.path}?{urlencode([*one.items(), *group.beside], doseq=True)}" for one in asked]
    for one, path in zip(asked[:WARM_UP], paths, strict=False):
        answer = client.ask(path)
        if isinstance(answer, list):
            check(answer, one, postings)
    figure = Figure(group.title, kind.title, group.most)
    for path in paths[WARM_UP:]:
        answer = client.ask(path)
        figure.took.append(client.took)
        figure.found.append(len(answer))
    return figure


def check(answer: Sequence[dict[str, Any]], asked: Asked, postings: int) -> None:
    """Speed says nothing about an answer that is wrong."""
    given = {
        name: [value] if name in LISTS and isinstance(value, str) else value for name, value in asked.items()
    }
    query = JobFilters.model_validate(given).query()
    for found in answer:
        if not query.matches(stored(numbered(found["id"]), postings)):
            raise LoadFailed(f"{asked} found {found}")


def until_counted(client: Client) -> None:
    """All postings are counted in the background; until then, only the newest are."""
    give_up = time.monotonic() + SECONDS_TO_BE_COUNTED
    while not client.ask("/jobs/facets")["facets"]["company"]["is_exact"]:
        if time.monotonic() > give_up:
            raise LoadFailed("the facets of all postings were never counted")
        time.sleep(1)


def deep(client: Client, order: str, number: int) -> Depth:
    """By following the links; the first page in between, so that both see the same machine."""
    about = BEST_OF if order == "-score" else {}
    first = f"/jobs/?{urlencode({'limit': LIMIT, 'sort': order, **about})}"
    path = first
    for _ in range(DEEP - 1):
        client.ask(path)
        path = client.next
    depth = Depth(order)
    for _ in range(number):
        client.ask(first)
        depth.first.append(client.took)
        client.ask(path)
        depth.deep.append(client.took)
        path = client.next
    return depth
