"""Answers in gzip: for whom, of what, and under which entity tags."""

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest
from fastapi import FastAPI

from backend.app.compression import Taken, taken
from backend.app.routers.docs import FOLDER
from backend.tests import samples
from backend.tests.client import Client, Json
from backend.tests.raw import raw

PLAIN, PACKED = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}
LONG = "Long. " * 400
BOTH, ONLY_PLAIN, ONLY_GZIP, NEITHER = Taken(True), Taken(False), Taken(True, False), Taken(False, False)


@pytest.mark.parametrize(
    ("asked", "takes"),
    [
        ("gzip", BOTH),
        ("GZIP", BOTH),
        ("x-gzip", BOTH),
        ("gzip, deflate, br, zstd", BOTH),
        ("deflate,gzip;q=0.5", BOTH),
        ("gzip; q=1.000", BOTH),
        ("gzip;q=0.001", BOTH),
        ("*", BOTH),
        ("br, *;q=0.1", BOTH),
        ("identity, gzip", BOTH),
        ("gzip;q=1.0, identity; q=0.5", BOTH),
        ("", ONLY_PLAIN),
        ("br, deflate", ONLY_PLAIN),
        ("identity", ONLY_PLAIN),
        ("gzip;q=0", ONLY_PLAIN),
        ("gzip;q=0.000", ONLY_PLAIN),
        ("gzip;q=0, *", ONLY_PLAIN),
        ("identity;q=1, gzip;q=0.9", ONLY_PLAIN),
        ("gzip;q=NaN", ONLY_PLAIN),
        ("gzip;q=2", ONLY_PLAIN),
        ("gzip;q=-1", ONLY_PLAIN),
        ("gzip;level=9", ONLY_PLAIN),
        ("gzipped", ONLY_PLAIN),
        (",;,", ONLY_PLAIN),
        ("gzip, identity;q=0", ONLY_GZIP),
        ("gzip, *;q=0", ONLY_GZIP),
        ("*;q=0", NEITHER),
        ("br, identity;q=0", NEITHER),
    ],
)
def test_what_a_client_takes_is_what_it_says(asked: str, takes: Taken) -> None:
    assert taken(asked) == takes


async def test_a_list_is_the_same_in_gzip(client: Client) -> None:
    for _ in range(40):
        await client.job(description=LONG)

    plain = await client.get("/jobs/", headers=PLAIN)
    packed = await client.get("/jobs/", headers=PACKED)

    # So much is packed in a thread.
    assert len(plain.content) > 64 * 1024
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 5
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] == plain.headers["etag"].removesuffix('"') + '-gzip"'


async def test_what_is_short_comes_as_it_is(client: Client) -> None:
    made = await client.user()

    response = await client.get(f"/users/{made['id']}", headers=PACKED)

    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) == len(response.content)


async def test_a_client_that_takes_nothing_plain_gets_nothing_plain(app: FastAPI) -> None:
    answer = await raw(app, "GET", "/livez", [(b"accept-encoding", b"gzip, identity;q=0")])

    assert answer is not None
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == {"status": "alive"}


async def test_a_client_that_says_it_on_two_lines_is_heard(app: FastAPI) -> None:
    lines = [(b"accept-encoding", b"br"), (b"accept-encoding", b"gzip;q=0.5")]
    answer = await raw(app, "GET", "/openapi.json", lines)

    assert answer is not None
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["openapi"] == "3.1.0"


async def test_a_long_problem_comes_in_gzip_too(client: Client) -> None:
    wrong = dict.fromkeys((f"field_{number}" for number in range(50)), 1)

    response = await client.post("/jobs/", json=wrong, headers=PACKED)

    assert (response.status_code, len(response.json()["errors"])) == (422, 50)
    assert response.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("asked", ["gzip", "gzip;q=0"])
async def test_what_is_kept_packed_is_sent_as_it_is(client: Client, asked: str) -> None:
    response = await client.get("/assets/docs.css", headers={"Accept-Encoding": asked})

    assert response.headers.get_list("content-encoding") == (["gzip"] if asked == "gzip" else [])
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.content == (FOLDER / "docs.css").read_bytes()


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("changing", [PLAIN, PACKED], ids=["plain", "packed"])
async def test_the_tag_of_a_packed_document_lets_a_change_through_once(
    client: Client, method: str, changing: dict[str, str]
) -> None:
    made = await client.job(description=LONG)
    path = f"/jobs/{made['id']}"
    tag = (await client.get(path, headers=PACKED)).headers["etag"]
    assert tag.endswith('-gzip"')

    async def change(title: str) -> int:
        body: Any = None if method == "DELETE" else {"title": title}
        response = await client.request(method, path, json=body, headers={**changing, "If-Match": tag})
        return response.status_code

    assert await change("B") == (204 if method == "DELETE" else 200)
    assert await change("C") == (404 if method == "DELETE" else 412)


async def test_the_answer_to_a_change_has_the_tag_that_a_read_has(client: Client) -> None:
    made = await client.job(description=LONG)
    path = f"/jobs/{made['id']}"

    for asked in (PLAIN, PACKED):
        changed = await client.patch(path, json={"title": str(asked)}, headers=asked)
        assert changed.headers["etag"] == (await client.get(path, headers=asked)).headers["etag"]


@pytest.mark.parametrize("around", ["{}", "W/{}", '"x", {} , "y"'])
async def test_the_tag_of_a_packed_document_answers_304_with_the_same_tag(
    client: Client, around: str
) -> None:
    made = await client.job(description=LONG)
    path = f"/jobs/{made['id']}"
    tag = (await client.get(path, headers=PACKED)).headers["etag"]

    held = await client.get(path, headers={**PACKED, "If-None-Match": around.format(tag)})

    assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", tag)
    assert held.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in held.headers


async def test_the_tag_of_a_plain_document_is_held_by_whoever_takes_gzip(client: Client) -> None:
    made = await client.job(description=LONG)
    path = f"/jobs/{made['id']}"
    tag = (await client.get(path, headers=PLAIN)).headers["etag"]

    held = await client.get(path, headers={**PACKED, "If-None-Match": tag})

    assert (held.status_code, held.headers["etag"]) == (304, tag)


async def test_who_takes_no_gzip_does_not_hold_what_is_in_gzip(client: Client) -> None:
    made = await client.job(description=LONG)
    path = f"/jobs/{made['id']}"
    tag = (await client.get(path, headers=PACKED)).headers["etag"]

    response = await client.get(path, headers={**PLAIN, "If-None-Match": tag})

    assert (response.status_code, response.json()) == (200, made)


async def test_a_request_sent_twice_is_answered_as_each_time_is_asked(client: Client) -> None:
    body = samples.job(description=LONG)

    first, again = [
        await client.post("/jobs/", json=body, headers={**asked, "Idempotency-Key": "once"})
        for asked in (PACKED, PLAIN)
    ]

    assert again.headers["idempotent-replayed"] == "true"
    assert first.json() == again.json()
    assert first.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in again.headers
    assert again.headers["etag"].endswith('"') and "gzip" not in again.headers["etag"]


async def exported_in_pieces(app: FastAPI) -> list[bytes]:
    sent: list[Any] = []

    async def receive() -> Json:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/jobs/export", "query_string": b""}
    await app({**scope, "headers": [(b"accept-encoding", b"gzip")]}, receive, send)
    start, *pieces = sent
    assert (b"content-encoding", b"gzip") in start["headers"]
    return [piece["body"] for piece in pieces]


async def test_an_export_in_gzip_can_be_read_as_it_comes(app: FastAPI, client: Client) -> None:
    for number in range(4):
        await client.job(description=f"{number}" * 50_000)

    pieces = await exported_in_pieces(app)

    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    readable = [reader.decompress(piece) for piece in pieces]
    assert len([piece for piece in readable if piece]) > 1
    assert all(piece.endswith(b"\n") for piece in readable if piece)
    assert reader.eof
    assert b"".join(readable) == (await client.get("/jobs/export", headers=PLAIN)).content
    assert gzip.decompress(b"".join(pieces)).count(b"\n") == 4


async def test_an_empty_export_in_gzip_is_empty(app: FastAPI, client: Client) -> None:
    assert gzip.decompress(b"".join(await exported_in_pieces(app))) == b""


async def test_the_same_answer_is_the_same_in_gzip(app: FastAPI, client: Client) -> None:
    await client.job(description=LONG)

    first, second = [await raw(app, "GET", "/jobs/", [(b"accept-encoding", b"gzip")]) for _ in range(2)]

    assert first is not None and second is not None
    assert first.headers["etag"] == second.headers["etag"]
    assert first.content == second.content
    assert json.loads(first.content)[0]["description"] == LONG
