"""A server that speaks the bulk protocol and fails to order: for what the real one does only when it must."""

import json
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]

PATIENCE = 30.0
NAMES = {
    "jobs": ("external_id",),
    "job-matches": ("user_id", "job_id"),
    "interactions": ("user_id", "job_id", "interaction_type"),
}


@dataclass(frozen=True)
class Trouble:
    """What happens to one request instead of, or before, an answer."""

    status: int = 0
    """Refused with this; nothing is done."""
    code: str = ""
    headers: Json = field(default_factory=dict)
    dropped: bool = False
    """The connection is closed without a word."""
    done_before: bool = False
    """What was asked for is done all the same."""
    held: bool = False
    """It waits until it is released."""


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]

    @property
    def chunk(self) -> int:
        return int(self.key.rpartition("-")[2].partition(".")[0])


class StandIn:
    server: "Server"

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.stored: dict[tuple[str, ...], Json] = {}
        self.effects: Counter[str] = Counter()
        """How often each key had one."""
        self.answers: dict[str, tuple[int, Json]] = {}
        self.documents: list[Json] = []
        self.runs: dict[str, Json] = {}
        self.too_many: Json | None = None
        self.troubles: defaultdict[str, deque[Trouble | None]] = defaultdict(deque)
        """Of the next requests of a kind: bulk, bulk with one chunk, export, other."""
        self.lines_until_broken: deque[int] = deque()
        self.holding = threading.Event()
        self.released = threading.Event()
        self._lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.stand_in = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def bulk(self) -> list[Received]:
        """By chunk: of two that are on their way, either may come first."""
        return sorted((one for one in self.received if one.path.endswith("/bulk")), key=lambda one: one.chunk)

    def trouble(self, *troubles: Trouble | None, kind: str = "bulk") -> None:
        """What the next requests of a kind will meet."""
        self.troubles[kind].extend(troubles)

    def trouble_chunk(self, number: int, *troubles: Trouble) -> None:
        """What the next requests with this chunk will meet."""
        self.trouble(*troubles, kind=f"bulk {number}")

    def next_trouble(self, *kinds: str) -> Trouble | None:
        with self._lock:
            waiting = [self.troubles[kind] for kind in kinds if self.troubles[kind]]
            return waiting[0].popleft() if waiting else None

    def bulk_answer(self, request: Received) -> tuple[int, Json]:
        """As the real one does it, with a title as all that a posting needs."""
        with self._lock:
            if request.key in self.answers:
                return self.answers[request.key]
            if any("unfit" in item for item in request.body):
                return problem(400, "malformed_body")
            self.effects[request.key] += 1
            collection = request.path.strip("/").split("/")[0]
            items = [self._taken(collection, index, item, request) for index, item in enumerate(request.body)]
            counts = Counter(item["status"] for item in items)
            statuses = ("created", "updated", "unchanged", "rejected")
            summary = {status: counts[status] for status in statuses}
            answer = {"summary": summary, "items": items, "truncated": False}
            self.answers[request.key] = (207 if counts["rejected"] else 200, answer)
            return self.answers[request.key]

    def _taken(self, collection: str, index: int, item: Json, request: Received) -> Json:
        key = {name: item.get(name) for name in NAMES[collection]}
        told: Json = {"index": index, "id": None, "errors": [], **key}
        if collection == "jobs" and "title" not in item:
            fault = {"pointer": "/title", "detail": "This field is required", "code": "missing"}
            return {**told, "status": "rejected", "errors": [fault]}
        name = tuple(str(value) for value in key.values())
        before = self.stored.get(name)
        status = "created" if before is None else "unchanged" if before == item else "updated"
        if request.query.get("dry_run") != "true":
            self.stored[name] = item
        return {**told, "status": status, "id": f"{len(self.stored):024x}"}

    def run_answer(self, request: Received) -> tuple[int, Json]:
        _, *rest = request.path.strip("/").split("/")
        if not rest:
            run_id = f"{len(self.runs) + 1:024x}"
            self.runs[run_id] = {
                "id": run_id,
                "opened_by": None,
                **request.body,
                "status": "open",
                "created_at": "2026-11-20T09:00:00.000000Z",
                "ended_at": None,
                "counts": {"created": 0, "updated": 0, "unchanged": 0, "rejected": 0},
                "closed": None,
                "rejected_items": [],
            }
            return 201, self.runs[run_id]
        run = self.runs[rest[0]]
        if rest[1:] == ["complete"]:
            if self.too_many and float(request.query["max_close_ratio"]) < 1:
                return problem(409, "too_many_to_close", **self.too_many)
            run |= {"status": "completed", "closed": 7}
        elif rest[1:] == ["abort"]:
            run |= {"status": "aborted"}
        return 200, run


def problem(status: int, code: str, **members: Any) -> tuple[int, Json]:
    title = HTTPStatus(status).phrase
    told = {"type": "about:blank", "title": title, "status": status, "detail": f"It is {code}", "code": code}
    return status, {**told, "request_id": "abc123", **members}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: StandIn


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    @property
    def stand_in(self) -> StandIn:
        return self.server.stand_in

    def handle(self) -> None:
        # The other side may be gone, killed on purpose.
        with suppress(ConnectionError):
            super().handle()

    def respond(self) -> None:
        where = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Received(
            self.command,
            where.path,
            dict(parse_qsl(where.query)),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(content) if content else None,
        )
        self.stand_in.received.append(request)
        last = where.path.rsplit("/", 1)[-1]
        kind = last if last in ("bulk", "export") else "other"
        kinds = [f"bulk {request.chunk}", kind] if kind == "bulk" else [kind]
        trouble = None if last == "livez" else self.stand_in.next_trouble(*kinds)
        if trouble and self.troubled(trouble, request):
            return
        if kind == "export":
            self.export(request)
        else:
            self.answer(*self.found(request))

    do_GET = do_POST = do_PATCH = respond  # noqa: N815 - as the base class has it

    def found(self, request: Received) -> tuple[int, Json]:
        if request.path.endswith("/bulk"):
            return self.stand_in.bulk_answer(request)
        if request.path.startswith("/ingest-runs"):
            return self.stand_in.run_answer(request)
        if request.path == "/livez":
            return 200, {"status": "alive"}
        return problem(404, "not_found")

    def troubled(self, trouble: Trouble, request: Received) -> bool:
        """Whether that was all."""
        if trouble.held:
            self.stand_in.holding.set()
            self.stand_in.released.wait(PATIENCE)
        if trouble.done_before:
            self.found(request)
        if trouble.dropped:
            self.close_connection = True
            return True
        if trouble.status:
            self.answer(*problem(trouble.status, trouble.code), **trouble.headers)
        return bool(trouble.status)

    def answer(self, status: int, told: Json, **headers: str) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def export(self, request: Received) -> None:
        cursor = request.query.get("cursor", "")
        rest = [one for one in self.stand_in.documents if one["id"] > cursor]
        broken = self.stand_in.lines_until_broken.popleft() if self.stand_in.lines_until_broken else None
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for document in rest[:broken]:
            self.chunk(json.dumps(document).encode() + b"\n")
        if broken is not None:
            self.chunk(b'{"id": "torn')
            self.close_connection = True
            return
        self.chunk(b"")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
        pass


@contextmanager
def standing_in() -> Iterator[StandIn]:
    stand_in = StandIn()
    thread = threading.Thread(target=stand_in.server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.released.set()
        stand_in.server.shutdown()
        stand_in.server.server_close()
        thread.join()
