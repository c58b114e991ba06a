"""The run: one database, all servers up, the questions asked in rounds, everybody in turn."""

import http.client
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from statistics import median
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from backend.app.db.indexes import wanted
from backend.mongod import temporary
from bench import eve
from bench.load import HOST, LoadFailed, Measured, Order
from bench.machine import Machine, describe
from bench.matches import match_batches, stored_stats, stored_users
from bench.peers import ROOT, Peer, Server, serving
from bench.postings import batches, posting_id
from bench.question import Facts, Question
from bench.questions import DEEP_PAGE, LIMIT

DATABASE = "aijobhunt_bench"
COLLECTIONS = ("jobs", eve.OWN_COLLECTION)
CACHE_GB = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    questions: Sequence[Question]
    peers: Sequence[Peer]
    postings: int
    rounds: int
    warm_up: float
    seconds: float
    connections: int

    in_flight: int | None = None
    """How many requests at once, whatever the questions say of it."""

    @property
    def pairs(self) -> list[tuple[Question, Peer]]:
        return [
            (question, peer)
            for question in self.questions
            for peer in self.peers
            if peer.key in question.peers
        ]

    @property
    def bulk_rounds(self) -> int:
        return (self.rounds + 1) // 2

    def heats(self) -> Iterator[tuple[int, list[tuple[Question, Peer]]]]:
        """Who is asked what in a round, and the number of that round.

        Bulk has half as many, after all others: they would be asked while the database tidies up behind it.
        """
        for bulk, rounds in ((False, self.rounds), (True, self.bulk_rounds)):
            pairs = [pair for pair in self.pairs if pair[0].bulk == bulk]
            for number in range(rounds if pairs else 0):
                # There and back again: who is asked first in one round is asked last in the next.
                yield number, pairs if number % 2 == 0 else pairs[::-1]

    def at_once(self, question: Question, peer: Peer) -> int:
        return self.in_flight or question.in_flight.get(peer.key, self.connections)


@dataclass
class Results:
    plan: Plan
    machine: Machine
    measured: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)
    """By question and peer: one for each round."""

    def has(self, question: str, peer: str) -> bool:
        return (question, peer) in self.measured

    def middle(self, question: str, peer: str) -> Measured:
        """The median of the rounds, of each figure by itself."""
        rounds = self.measured[question, peer]
        return Measured(
            median(measured.per_second for measured in rounds),
            median(measured.p50 for measured in rounds),
            median(measured.p99 for measured in rounds),
        )

    def rate(self, question: Question, peer: str) -> float:
        """Of the question's unit, in a second."""
        return self.middle(question.key, peer).per_second * question.weight

    def ratio(self, one: tuple[str, str], other: tuple[str, str]) -> float:
        """How many times as fast: the median of what the rounds say, so that the machine's drift cancels."""
        pairs = zip(self.measured[one], self.measured[other], strict=True)
        return median(this.per_second / that.per_second for this, that in pairs)


def run(plan: Plan, say: Say) -> Results:
    with ExitStack() as stack:
        say("starting mongod")
        uri = stack.enter_context(temporary(cache_gb=CACHE_GB)).uri
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(uri))
        database = client[DATABASE]
        results = Results(plan, describe(str(client.server_info()["version"])))
        fill(database, plan, say)
        servers: dict[str, Server | None] = {}
        for peer in plan.peers:
            say(f"starting {peer.title}")
            servers[peer.key] = stack.enter_context(serving(peer, uri, DATABASE))
        deep_page = walk(servers.get("app"), plan, say)
        for number, pairs in plan.heats():
            facts = Facts(plan.postings, number, deep_page)
            for question, peer in pairs:
                server = servers[peer.key]
                if server and number == 0:
                    with removed(database, plan.postings):
                        check(question, peer, facts, server.port)
                order = Order(
                    question=question.key,
                    facts=facts,
                    connections=plan.at_once(question, peer),
                    warm_up=plan.warm_up,
                    seconds=plan.seconds,
                    port=server.port if server else None,
                    uri=uri,
                    database=DATABASE,
                )
                with removed(database, plan.postings):
                    measured = measure(order, f"{question.title}, {peer.title}")
                results.measured.setdefault((question.key, peer.key), []).append(measured)
                say(
                    f"round {number + 1}: {question.title}, {peer.title}: "
                    f"{measured.per_second * question.weight:,.0f} {question.unit}/s"
                )
        return results


def fill(database: Database[dict[str, Any]], plan: Plan, say: Say) -> None:
    make_indexes(database)
    for done, batch in store(database, plan.postings):
        database[eve.OWN_COLLECTION].insert_many(map(eve.as_eve_stores, batch), ordered=False)
        say(f"{done:,} of {plan.postings:,} postings stored")
    database["users"].insert_many(stored_users())
    database["user_stats"].insert_many(stored_stats())
    for batch in match_batches(plan.postings):
        database["job_matches"].insert_many(batch, ordered=False)


# An index of words takes a third of the time when it is made at the end.
WORTH_REBUILDING = 50_000


def make_indexes(database: Database[dict[str, Any]]) -> None:
    for name in COLLECTIONS:
        # What any peer needs so that nobody scans.
        database[name].create_index("external_id", unique=True)
        database[name].create_index([("posted_date", -1)])
    # What this app adds when it starts, so that all write under the same, whoever is asked.
    for name, indexes in wanted().items():
        for keys, options in indexes:
            database[name].create_index(list(keys), **options)


def store(
    database: Database[dict[str, Any]], postings: int, *, after: int = 0
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Store the postings up to a number, straight into the database; tells how far it is, and with what."""
    done = after
    if many := postings - after >= WORTH_REBUILDING:
        for name, about in database["jobs"].index_information().items():
            if any(field.startswith("search.") for field, _ in about["key"]):
                database["jobs"].drop_index(name)
    for batch in batches(postings, after=after):
        database["jobs"].insert_many(batch, ordered=False)
        done += len(batch)
        yield done, batch
    if many:
        make_indexes(database)


@contextmanager
def removed(database: Database[dict[str, Any]], postings: int) -> Iterator[None]:
    """Afterwards, what was created is gone: every measure finds the same postings."""
    yield
    for name in (*COLLECTIONS, "job_matches"):
        # Whatever made them, their ids begin with the time, and those of the data set with one long past.
        database[name].delete_many({"_id": {"$gte": posting_id(postings)}})


def walk(server: Server | None, plan: Plan, say: Say) -> str:
    """Follow the links to page 1,000; its path."""
    if server is None or not any(question.key == "deep-page" for question in plan.questions):
        return ""
    path = f"/jobs/?limit={LIMIT}"
    connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
    for page in range(2, DEEP_PAGE + 1):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        link = re.match(r'<([^>]*)>; rel="next"', response.headers.get("Link", ""))
        if link is None:
            raise LoadFailed(f"page {page - 1} has no link to the next: {response.status}")
        path = link[1]
        if page % 100 == 0:
            say(f"walked to page {page:,}")
    connection.close()
    return path


def check(question: Question, peer: Peer, facts: Facts, port: int) -> None:
    """Ask once and look at the answer: speed says nothing about one that is wrong."""
    requests = question.requests(facts)
    for request in islice(requests, question.beforehand):
        exchange(port, request)
    status, body = exchange(port, next(requests))
    if status // 100 != 2 or not question.holds(json.loads(body), facts):
        raise LoadFailed(f"{question.title}, {peer.title}: {status} {body[:2000]!r}")


def exchange(port: int, request: bytes) -> tuple[int, bytes]:
    with socket.create_connection((HOST, port), timeout=30) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


def measure(order: Order, what: str) -> Measured:
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LoadFailed(f"{what}: {done.stderr.strip()[-4000:]}")
    return Measured(**json.loads(done.stdout))
