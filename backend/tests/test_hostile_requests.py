"""Hostile paths, queries, cursors and headers: a 4xx problem or no effect, and nothing changed."""

import random
import string
from base64 import urlsafe_b64encode
from typing import Any, NamedTuple, get_type_hints
from urllib.parse import quote

import bson
import httpx
import pytest
from bson import ObjectId
from fastapi import FastAPI

from backend.app.db.mongo import Mongo
from backend.app.db.paging import Reading, digest
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, RUNS, SEARCHES, TABLE, USERS, Spec
from backend.app.deps import ListQuery
from backend.app.models.job_filters import JobFilters
from backend.tests.client import Client
from backend.tests.raw import raw
from backend.tests.refusals import refusal
from backend.tests.routes import OPERATIONS, Operation
from backend.tests.unfit import MARKER

ABSENT = "5" * 24
WITH_ID = [operation for operation in OPERATIONS if operation.ids]


def lists() -> list[str]:
    return [
        operation.path
        for operation in OPERATIONS
        if any(is_list_query(hint) for hint in get_type_hints(operation.route.endpoint).values())
    ]


def is_list_query(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, ListQuery)


MALFORMED_IDS = (
    "x",
    "0",
    "-1",
    "null",
    "undefined",
    "true",
    "*",
    "$where",
    "%24ne",
    MARKER,
    quote('{"$gt":""}'),
    quote('{"$oid":"' + ABSENT + '"}'),
    quote("'; DROP TABLE users; --"),
    quote("⅟" * 24),
    quote("５" * 24),
    quote("٥" * 24),
    quote("5" * 23 + "\N{COMBINING ACUTE ACCENT}"),
    quote("\N{FULLWIDTH LATIN SMALL LETTER A}" * 24),
    "5" * 23,
    "5" * 25,
    "5" * 23 + "g",
    "0x" + "5" * 22,
    "+" + "5" * 23,
    "-" + "5" * 23,
    # What bytes.fromhex would skip.
    "55%20" * 8,
    "55%09" * 8,
    "%20" + "5" * 22 + "%20",
    "5" * 24 + "%20",
    "%20" + "5" * 24,
    "5" * 24 + "%0A",
    "5" * 24 + "%0D%0A",
    "5" * 24 + "%00",
    "5" * 23 + "%00",
    "%00",
    "%00" * 12,
    "%00" * 24,
    "%FF",
    "%FF" * 12,
    "%FF" * 24,
    "%C0%AF",
    "%ED%A0%80",
    "%",
    "%G0",
    "%25",
    "%2500",
    "%20",
    "%0A",
    "%7F",
    "...",
    "5" * 24 + ";a=b",
    "5" * 24 + ".json",
    "5" * 24 + "%3F",
    "5" * 24 + "%23",
    "5" * 10_000,
    "5" * 60_000,
    quote("😀" * 1000),
)


@pytest.mark.parametrize("operation", WITH_ID, ids=str)
async def test_a_malformed_id_is_400_and_touches_nothing(
    app: FastAPI, client: Client, mongo: Mongo, operation: Operation
) -> None:
    await client.interaction()
    before = await dump(mongo)

    wrongs = {}
    for identifier in MALFORMED_IDS:
        path = operation.route.path.format(**dict.fromkeys(operation.ids, identifier))
        answer = await raw(app, operation.method, path, JSON, messages=body(operation.content or b""))
        wrong = refusal(answer, 400) if answer else "no answer"
        if wrong or (answer and answer.json()["code"] != "invalid_id"):
            wrongs[identifier[:60]] = wrong or answer

    assert wrongs == {}
    assert await dump(mongo) == before


JSON = [(b"content-type", b"application/json")]


def body(content: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": content, "more_body": False}]


async def dump(mongo: Mongo) -> dict[str, list[bytes]]:
    return {
        spec.name: [bson.encode(one) for one in await mongo.db[spec.name].find().sort("_id").to_list(None)]
        for spec in TABLE
    }


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/%FF",
        "/" + "a" * 60_000,
        "/" + "/" * 1000,
        "//",
        "//users/",
        "/users//",
        "/users/../jobs/",
        "/users/%2e%2e/jobs/",
        "/users%2F",
        "/jobs/%0A",
        "/jobs%0A",
        "/livez%0A",
        "/jobs/%0D%0AX-Evil:%20" + MARKER,
        "/jobs;a=b/",
        "/JOBS/",
        "/jobs/.",
        "/jobs/?/",
        f"/users/{ABSENT}/stats/x",
        f"/users/{ABSENT}%2Fstats",
        f"/job-matches/user/{ABSENT}/{ABSENT}",
        "/.env",
        "/assets/../main.py",
        "/assets/%2e%2e/main.py",
        "/assets/..%2fmain.py",
        "/docs/../../etc/passwd",
        "/assets/%00",
        "/assets//etc/passwd",
        f"/{MARKER}",
    ],
)
async def test_a_path_that_is_not_one_leads_nowhere(app: FastAPI, mongo: Mongo, path: str) -> None:
    answer = await raw(app, "GET", path)

    assert answer is not None
    # Some are another way to write a path that is there.
    assert answer.status_code == 200 or refusal(answer) is None
    assert "root:" not in answer.text
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "method", ["FOO", MARKER.upper(), "get", "TRACE", "CONNECT", "PROPFIND", "", "GET\0", "É" * 100]
)
@pytest.mark.parametrize("path", ["/users/", f"/users/{ABSENT}", "/health", "/docs", "/nowhere"])
async def test_a_method_that_nobody_knows_is_refused(app: FastAPI, method: str, path: str) -> None:
    answer = await raw(app, method, path)

    assert answer is not None
    assert refusal(answer, 404, 405) is None


BAD_QUERIES = (
    *(
        f"limit={limit}"
        for limit in (
            "",
            "%20",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e3",
            "1E400",
            "0x10",
            "1.5",
            "--1",
            "-1",
            "0",
            "-0",
            "1001",
            str(2**31),
            str(2**63),
            str(2**64),
            "9" * 400,
            "9" * 5000,
            "null",
            "true",
            "[1]",
            "1,2",
            "1%00",
            "%00",
            "%FF",
            quote("½"),
            MARKER,
        )
    ),
    *(f"count={count}" for count in ("", "2", "maybe", "%00", "null", MARKER, "[]")),
    *(
        f"{name}=1"
        for name in ("limit[]", "limit[$gt]", "limit.a", "LIMIT", "skip", "page", "$where", "%00", "%FF", "")
    ),
    *(
        f"limit=5&{name}=1"
        for name in ("x" * 10_000, "a%5B%24ne%5D", quote("é"), "__proto__", "self", "request")
    ),
)


@pytest.mark.parametrize("path", lists())
async def test_a_parameter_that_is_not_one_is_refused(app: FastAPI, mongo: Mongo, path: str) -> None:
    wrongs = {}
    for query in BAD_QUERIES:
        answer = await raw(app, "GET", f"{path}?{query}")
        if wrong := refusal(answer, 422) if answer else "no answer":
            wrongs[query[:80]] = wrong

    assert wrongs == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/jobs/", "is_active"),
        (f"/job-matches/user/{ABSENT}", "is_active"),
        (f"/interactions/user/{ABSENT}", "interaction_type"),
        (f"/interactions/job/{ABSENT}", "interaction_type"),
        ("/jobs/export", "is_active"),
        ("/job-matches/export", "is_active"),
        ("/interactions/export", "interaction_type"),
    ],
)
@pytest.mark.parametrize(
    "value", ["", "1", "TRUE", "true%00", "%FF", "[$ne]=x", "any,true", "null", "x" * 10_000]
)
async def test_a_filter_takes_only_its_words(app: FastAPI, path: str, name: str, value: str) -> None:
    answer = await raw(app, "GET", f"{path}?{name}={value}")

    assert answer is not None
    assert refusal(answer, 422) is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=1&limit=NaN",
        "limit=NaN&limit=1",
        "count=true&count=false",
        "&&&",
        "=",
        "limit=1&",
        "limit=%31",
        "limit=+1",
        "limit=1;count=true",
    ],
)
@pytest.mark.parametrize("path", lists())
async def test_a_parameter_sent_in_an_odd_way_has_one_meaning_or_none(
    app: FastAPI, mongo: Mongo, path: str, query: str
) -> None:
    answer = await raw(app, "GET", f"{path}?{query}")

    assert answer is not None
    # What a saved search finds is a list of something that may be missing.
    assert answer.status_code == 200 or refusal(answer, 400, 404, 422) is None


class Paged(NamedTuple):
    """A list with more than one page: its address and how to read it."""

    path: str
    reading: Reading


async def paged_lists(client: Client) -> dict[str, Paged]:
    """Every list, and every way to filter it, with three documents in each."""
    user, other = await client.user(), await client.user()
    jobs = [await client.job(source_platform="LinkedIn") for _ in range(3)]
    retired = [await client.job(is_active=False) for _ in range(3)]
    for number, job in enumerate(jobs):
        await client.match(user_id=user["id"], job_id=job["id"])
        await client.match(user_id=user["id"], job_id=retired[number]["id"], is_active=False)
        await client.match(user_id=other["id"], job_id=job["id"])
        await client.interaction(user_id=user["id"], job_id=job["id"])
        await client.interaction(user_id=user["id"], job_id=job["id"], interaction_type="saved")
        await client.search(user_id=user["id"])
        await client.search(user_id=other["id"])
        await client.run()
        await client.interaction(user_id=other["id"], job_id=job["id"])
        extra = (await client.user())["id"]
        await client.match(user_id=extra, job_id=jobs[0]["id"])
        await client.match(user_id=extra, job_id=jobs[1]["id"])
        for place in (0, 1):
            for kind in ("viewed", "saved"):
                await client.interaction(user_id=extra, job_id=jobs[place]["id"], interaction_type=kind)

    def of(spec: Spec, path: str, **where: Any) -> Paged:
        return Paged(path, Reading(spec, spec.listing(where), where))

    def postings(path: str, active: bool | None, **filters: Any) -> Paged:
        query = JobFilters(**filters).query(active)
        return Paged(path, Reading(JOBS, JOBS.listing(["is_active"]), {}, asked=repr(query)))

    def interactions(field: str, path: str, owner: str) -> dict[str, Paged]:
        about = {field: ObjectId(owner)}
        at = f"/interactions/{path}/{owner}"
        return {
            at: of(INTERACTIONS, at, **about, interaction_type=None),
            f"{at} viewed": of(
                INTERACTIONS, f"{at}?interaction_type=viewed", **about, interaction_type="viewed"
            ),
            f"{at} saved": of(
                INTERACTIONS, f"{at}?interaction_type=saved", **about, interaction_type="saved"
            ),
        }

    mine, theirs, first, second = user["id"], other["id"], jobs[0]["id"], jobs[1]["id"]
    return {
        "users": of(USERS, "/users/"),
        "jobs": postings("/jobs/", True),
        "retired jobs": postings("/jobs/?is_active=false", False),
        "all jobs": postings("/jobs/?is_active=any", None),
        "jobs of a platform": postings("/jobs/?source_platform=LinkedIn", True, source_platform=["LinkedIn"]),
        "runs": of(RUNS, "/ingest-runs/"),
        "matches": of(MATCHES, "/job-matches/"),
        "my matches": of(MATCHES, f"/job-matches/user/{mine}", user_id=ObjectId(mine), is_active=True),
        "my inactive matches": of(
            MATCHES, f"/job-matches/user/{mine}?is_active=false", user_id=ObjectId(mine), is_active=False
        ),
        "all my matches": of(
            MATCHES, f"/job-matches/user/{mine}?is_active=any", user_id=ObjectId(mine), is_active=None
        ),
        "their matches": of(MATCHES, f"/job-matches/user/{theirs}", user_id=ObjectId(theirs), is_active=True),
        "matches of a job": of(MATCHES, f"/job-matches/job/{first}", job_id=ObjectId(first)),
        "matches of another": of(MATCHES, f"/job-matches/job/{second}", job_id=ObjectId(second)),
        "my searches": of(SEARCHES, f"/saved-searches/user/{mine}", user_id=ObjectId(mine)),
        "their searches": of(SEARCHES, f"/saved-searches/user/{theirs}", user_id=ObjectId(theirs)),
        **interactions("user_id", "user", mine),
        **interactions("job_id", "job", first),
        **interactions("job_id", "job", second),
    }


def with_cursor(path: str, cursor: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}limit=1&cursor={cursor}"


async def cursor_of(client: Client, path: str) -> str:
    page = await client.get(path, params={**dict(httpx.URL(path).params), "limit": 1})
    return str(httpx.URL(page.links["next"]["url"]).params["cursor"])


async def refused_cursors(client: Client, path: str, cursors: dict[str, str]) -> dict[str, str]:
    """Those that were not refused as they should be, and how."""
    wrongs = {}
    for name, cursor in cursors.items():
        answer = await client.get(with_cursor(path, quote(cursor)))
        wrong = refusal(answer, 400)
        if wrong or answer.json()["code"] != "invalid_cursor":
            wrongs[name] = wrong or answer.text
    return wrongs


async def test_a_cursor_opens_its_own_list_and_no_other(client: Client) -> None:
    every = await paged_lists(client)
    cursors = {name: await cursor_of(client, paged.path) for name, paged in every.items()}

    for name, paged in every.items():
        assert (await client.get(with_cursor(paged.path, cursors[name]))).status_code == 200
        others = {other: cursor for other, cursor in cursors.items() if other != name}
        assert await refused_cursors(client, paged.path, others) == {}


async def test_a_cursor_that_was_changed_is_refused(client: Client) -> None:
    chance = random.Random(7)
    for paged in (await paged_lists(client)).values():
        cursor = await cursor_of(client, paged.path)
        place = chance.randrange(len(cursor))
        other = chance.choice([sign for sign in string.ascii_letters + "-_" if sign != cursor[place]])
        changed = {
            "empty": "",
            "shorter": cursor[:-1],
            "half": cursor[: len(cursor) // 2],
            "without its start": cursor[1:],
            "longer": cursor + "A",
            "padded": cursor + "==",
            "twice": cursor * 2,
            "one sign": cursor[:place] + other + cursor[place + 1 :],
            "last sign": cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
            "other case": cursor.swapcase(),
            "junk inside": cursor[:9] + "!" + cursor[9:],
            "blank after": cursor + " ",
            "newline after": cursor + "\n",
            "NUL after": cursor + "\0",
            "random": "".join(chance.choices(string.ascii_letters + "-_", k=len(cursor))),
            "no base64": "%$#",
            "unicode": "é" * len(cursor),
            "not UTF-8": "\udcff",
            "long": "A" * 50_000,
            "a number": "1",
            "an id": ABSENT,
        }
        changed = {
            name: text.encode("utf-8", "surrogateescape").decode("latin-1") for name, text in changed.items()
        }
        assert await refused_cursors(client, paged.path, changed) == {}


FORGED: dict[str, dict[str, Any]] = {
    "empty": {},
    "no value": {"i": ObjectId(ABSENT)},
    "no id": {"v": 1.0},
    "operator as value": {"v": {"$gt": ""}, "i": ObjectId(ABSENT)},
    "operator as id": {"v": 1.0, "i": {"$ne": None}},
    "pattern": {"v": bson.Regex("^(a+)+$"), "i": ObjectId(ABSENT)},
    "code": {"v": bson.Code("sleep(1000)"), "i": ObjectId(ABSENT)},
    "text": {"v": MARKER, "i": ObjectId(ABSENT)},
    "text as id": {"v": 1.0, "i": ABSENT},
    "null": {"v": None, "i": None},
    "list": {"v": [1], "i": ObjectId(ABSENT)},
    "time that Python has not": {"v": bson.DatetimeMS(2**62), "i": ObjectId(ABSENT)},
    "deep": {"v": 1.0, "i": ObjectId(ABSENT), "x": {"x": {"x": {"x": {}}}}},
}


async def test_a_cursor_that_somebody_made_up_is_refused(client: Client) -> None:
    for paged in (await paged_lists(client)).values():
        forged = {name: forge(paged.reading, bson.encode(place)) for name, place in FORGED.items()}
        forged["no BSON"] = forge(paged.reading, b"\xff" * 31)
        forged["cut off"] = forge(paged.reading, bson.encode({"v": 1.0, "i": ObjectId(ABSENT)})[:-1])

        assert await refused_cursors(client, paged.path, forged) == {}


def forge(reading: Reading, content: bytes) -> str:
    """What anybody can do who has read the code: there is no secret in it."""
    return urlsafe_b64encode(digest(content, reading.about) + content).rstrip(b"=").decode()


GARBAGE_TAGS = (
    "",
    " ",
    ",",
    ",,,",
    '"',
    '""',
    "x",
    '"x"',
    'W/"x"',
    "W/",
    "**",
    '*, "x"',
    "null",
    '"' + "x" * 10_000,
    "é",
    "\x7f",
    ", ".join(['"x"'] * 1000),
)


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_an_entity_tag_that_nobody_gave_out_lets_nothing_through(
    app: FastAPI, client: Client, mongo: Mongo, method: str
) -> None:
    made = await client.job()
    before = await dump(mongo)

    for tag in GARBAGE_TAGS:
        headers = [*JSON, (b"if-match", tag.encode())]
        answer = await raw(app, method, f"/jobs/{made['id']}", headers, messages=body(b'{"title": "B"}'))
        assert answer is not None
        assert refusal(answer, 400, 412) is None, tag

    assert await dump(mongo) == before


async def test_an_entity_tag_that_nobody_gave_out_does_not_hide_a_document(
    app: FastAPI, client: Client
) -> None:
    made = await client.job()

    for tag in set(GARBAGE_TAGS) - {'*, "x"'}:
        answer = await raw(app, "GET", f"/jobs/{made['id']}", [(b"if-none-match", tag.encode())])
        assert answer is not None
        assert (answer.status_code, answer.json()["id"]) == (200, made["id"]), tag


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b" ",
        b"x" * 65,
        b"x" * 10_000,
        b"a\r\nX-Evil: 1",
        b"a\nb",
        b"a\0b",
        b"a\tb",
        b"\xff",
        "é".encode(),
        "ａ".encode(),
        b"a,b",
        b"<a>",
    ],
)
@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/users/x"])
async def test_a_request_id_that_is_unfit_is_neither_taken_nor_told(
    app: FastAPI, sent: bytes, path: str
) -> None:
    answer = await raw(app, "GET", path, [(b"x-request-id", sent)])

    assert answer is not None
    given = answer.headers.get_list("x-request-id")
    assert len(given) == 1
    assert given[0].isascii() and given[0].isalnum() and len(given[0]) <= 64
    assert given[0].encode() != sent
    assert "x-evil" not in answer.headers


OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")


@pytest.mark.parametrize("header", OVERRIDES)
async def test_a_method_is_not_what_a_header_says(client: Client, mongo: Mongo, header: str) -> None:
    made = await client.job()
    before = await dump(mongo)

    got = await client.get(f"/jobs/{made['id']}", headers={header: "DELETE"})
    posted = await client.post(f"/jobs/{made['id']}", headers={header: "DELETE"}, json={"title": "B"})
    asked = await client.post(f"/jobs/{made['id']}?_method=DELETE", json={"_method": "DELETE"})

    assert (got.status_code, posted.status_code, asked.status_code) == (200, 405, 405)
    assert await dump(mongo) == before


HOSTS = (
    b"",
    b"[",
    b"]",
    b"evil.example/x?y=",
    b"evil.example#",
    b"a b",
    b"\xff",
    b"a\r\nX-Evil: 1",
    b"x" * 10_000,
    b":99999999",
    b"//",
    b"@",
)


@pytest.mark.parametrize("host", HOSTS)
async def test_a_link_does_not_depend_on_what_the_client_calls_the_host(
    app: FastAPI, client: Client, host: bytes
) -> None:
    for _ in range(2):
        await client.job()

    forwarded = [
        (b"x-forwarded-host", b"evil.example"),
        (b"x-forwarded-prefix", b"/evil"),
        (b"forwarded", b"host=evil"),
    ]
    answer = await raw(app, "GET", "/jobs/?limit=1", [(b"host", host), *forwarded])

    assert answer is not None
    assert answer.status_code == 200
    assert answer.headers["link"].startswith("</jobs/?limit=1&cursor=")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"accept", b"application/xml")],
        [(b"accept", b"\xff")],
        [(b"range", b"bytes=0-0")],
        [(b"expect", b"100-continue")],
        [(b"accept-encoding", b"gzip;q=NaN")],
        [(b"cookie", b"a=" + b"x" * 50_000)],
        [(b"authorization", b"Basic \xff")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"9" * 5000)],
        [(b"content-length", "٣".encode())],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"origin", b"null")],
        [(b"upgrade", b"h2c")],
        [(b"\xff", b"\xff")],
        [(b"x" * 10_000, b"")],
        [(b"if-modified-since", b"yesterday")],
    ],
    ids=lambda headers: headers[0][0][:20].decode("latin-1"),
)
async def test_a_header_that_means_nothing_here_changes_nothing(
    app: FastAPI, client: Client, headers: Any
) -> None:
    made = await client.job()

    answer = await raw(app, "GET", f"/jobs/{made['id']}", headers)
    posted = await raw(app, "POST", "/jobs/", [*JSON, *headers], messages=body(b"{}"))

    assert answer is not None and posted is not None
    assert (answer.status_code, answer.json()) == (200, made)
    assert refusal(posted, 413, 422) is None
