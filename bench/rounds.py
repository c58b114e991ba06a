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
from statistics import median
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from backend.mongod import temporary
from bench import eve
from bench.load import HOST, LoadFailed, Measured, Order
from bench.machine import Machine, describe
from bench.peers import ROOT, Peer, serving
from bench.postings import batches
from bench.questions import CREATED, DEEP_PAGE, LIMIT, Facts, Question

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

    @property
    def pairs(self) -> list[tuple[Question, Peer]]:
        return [
            (question, peer)
            for question in self.questions
            for peer in self.peers
            if peer.key in question.peers
        ]


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
        ports: dict[str, int | None] = {}
        for peer in plan.peers:
            say(f"starting {peer.title}")
            ports[peer.key] = stack.enter_context(serving(peer, uri, DATABASE))
        deep_page = walk(ports.get("app"), plan, say)
        for number in range(plan.rounds):
            facts = Facts(plan.postings, number, deep_page)
            # There and back again: who is asked first in one round is asked last in the next.
            pairs = plan.pairs if number % 2 == 0 else plan.pairs[::-1]
            for question, peer in pairs:
                order = Order(
                    question=question.key,
                    facts=facts,
                    connections=plan.connections,
                    warm_up=plan.warm_up,
                    seconds=plan.seconds,
                    port=ports[peer.key],
                    uri=uri,
                    database=DATABASE,
                )
                with removed(database):
                    if order.port is not None and number == 0:
                        check(question, peer, facts, order.port)
                with removed(database):
                    measured = measure(order, f"{question.title}, {peer.title}")
                results.measured.setdefault((question.key, peer.key), []).append(measured)
                say(
                    f"round {number + 1} of {plan.rounds}: {question.title}, {peer.title}: "
                    f"{measured.per_second * question.weight:,.0f} {question.unit}/s"
                )
        return results


def fill(database: Database[dict[str, Any]], plan: Plan, say: Say) -> None:
    for name in COLLECTIONS:
        # What any peer needs so that nobody scans; this app adds its own when it starts.
        database[name].create_index("external_id", unique=True)
        database[name].create_index([("posted_date", -1)])
    done = 0
    for batch in batches(plan.postings):
        database["jobs"].insert_many(batch, ordered=False)
        database[eve.OWN_COLLECTION].insert_many(map(eve.as_eve_stores, batch), ordered=False)
        done += len(batch)
        say(f"{done:,} of {plan.postings:,} postings stored")


@contextmanager
def removed(database: Database[dict[str, Any]]) -> Iterator[None]:
    """Afterwards, what was created is gone: every measure finds the same postings."""
    yield
    for name in COLLECTIONS:
        database[name].delete_many({"external_id": {"$gte": CREATED, "$lt": CREATED + "~"}})


def walk(port: int | None, plan: Plan, say: Say) -> str:
    """Follow the links to page 1,000; its path."""
    if port is None or not any(question.key == "deep-page" for question in plan.questions):
        return ""
    path = f"/jobs/?limit={LIMIT}"
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
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
    with socket.create_connection((HOST, port), timeout=30) as connection:
        connection.sendall(next(question.requests(facts)))
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
    if response.status // 100 != 2 or not question.holds(json.loads(body), facts):
        raise LoadFailed(f"{question.title}, {peer.title}: {response.status} {body[:2000]!r}")


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
