"""What a client may keep of an answer, and how it asks whether a list is still the same."""

from collections.abc import Awaitable, Callable

import pytest
from bson import ObjectId

from backend.app.db.mongo import Mongo
from backend.tests import samples
from backend.tests.client import Client, Json

ABSENT = "5" * 24
LISTS = {
    "/users/": "user",
    "/jobs/": "job",
    "/job-matches/": "match",
    "/job-matches/user/{user_id}": "match",
    "/job-matches/job/{job_id}": "match",
    "/saved-searches/user/{user_id}": "search",
    "/interactions/user/{user_id}": "interaction",
    "/interactions/job/{job_id}": "interaction",
    "/ingest-runs/": "run",
}


async def still_held(client: Client, path: str, tag: str) -> bool:
    response = await client.get(path, headers={"If-None-Match": tag})
    assert response.status_code in (200, 304)
    return response.status_code == 304


async def tag_of(client: Client, path: str) -> str:
    tag: str = (await client.get(path)).headers["etag"]
    return tag


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_that_is_the_same_answers_304(client: Client, path: str) -> None:
    made = await getattr(client, LISTS[path])()
    path = path.format(**made)

    first = await client.get(f"{path}?count=true")
    again = await client.get(f"{path}?count=true", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary", "x-total-count"):
        assert again.headers[name] == first.headers[name]


async def test_an_empty_list_has_a_tag_too(client: Client) -> None:
    assert await still_held(client, "/jobs/", await tag_of(client, "/jobs/"))


async def test_a_tag_nobody_gave_out_hides_no_list(client: Client) -> None:
    for tag in ("", "x", '"x"', 'W/"x"', ",", '"' + "0" * 24 + '"'):
        assert not await still_held(client, "/jobs/", tag)


Change = Callable[[Client, Mongo, Json], Awaitable[object]]


async def past_this_code(client: Client, mongo: Mongo, job: Json) -> None:
    await mongo.db["jobs"].update_one({"_id": ObjectId(job["id"])}, {"$set": {"title": "By a script"}})


CHANGES: dict[str, Change] = {
    "one more": lambda client, *_: client.job(),
    "one less": lambda client, _, job: client.delete(f"/jobs/{job['id']}"),
    "one changed": lambda client, _, job: client.patch(f"/jobs/{job['id']}", json={"title": "B"}),
    "one changed past this code": past_this_code,
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_list_has_another_tag_when_there_is(client: Client, mongo: Mongo, change: str) -> None:
    job = await client.job()
    tag = await tag_of(client, "/jobs/")

    await CHANGES[change](client, mongo, job)

    assert not await still_held(client, "/jobs/", tag)


async def test_a_page_has_another_tag_when_only_what_follows_it_has_changed(client: Client) -> None:
    await client.user()
    last = await tag_of(client, "/users/?limit=1")
    counted = await tag_of(client, "/users/?limit=1&count=true")

    await client.user()
    middle = await client.get("/users/?limit=1", headers={"If-None-Match": last})
    assert (middle.status_code, "next" in middle.links) == (200, True)
    two = await client.get("/users/?limit=1&count=true", headers={"If-None-Match": counted})
    assert (two.status_code, two.headers["x-total-count"]) == (200, "2")

    # A third is on neither page: it shows in the count alone.
    await client.user()
    assert await still_held(client, "/users/?limit=1", middle.headers["etag"])
    three = await client.get("/users/?limit=1&count=true", headers={"If-None-Match": two.headers["etag"]})
    assert (three.status_code, three.headers["x-total-count"]) == (200, "3")


async def test_a_page_that_is_the_same_still_leads_to_the_next(client: Client) -> None:
    for _ in range(2):
        await client.job()
    first = await client.get("/jobs/?limit=1")

    held = await client.get("/jobs/?limit=1", headers={"If-None-Match": first.headers["etag"]})

    assert held.status_code == 304
    assert held.headers["link"] == first.headers["link"]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/users/{id}", "private, no-cache"),
        ("/users/{id}/stats", "private, no-cache"),
        ("/users/", "private, no-cache"),
        (f"/interactions/user/{ABSENT}", "private, no-cache"),
        ("/openapi.json", "no-cache"),
        ("/docs", "no-cache"),
        ("/assets/docs.css", "no-cache"),
        ("/users/export", "no-store"),
        ("/health", "no-store"),
        ("/livez", "no-store"),
        ("/readyz", "no-store"),
        (f"/users/{ABSENT}", "no-store"),
        ("/users/x", "no-store"),
        ("/users/?limit=0", "no-store"),
        ("/nowhere", "no-store"),
        ("/assets/nothing.js", "no-store"),
    ],
)
async def test_every_answer_says_whether_it_may_be_kept(client: Client, path: str, kept: str) -> None:
    made = await client.user()

    for method in ("GET", "HEAD"):
        response = await client.request(method, path.format(**made))
        assert response.headers.get_list("cache-control") == [kept]


async def test_the_answer_to_a_write_is_not_kept(client: Client) -> None:
    made = await client.post("/users/", json=samples.user())
    path = f"/users/{made.json()['id']}"

    for response in (
        made,
        await client.patch(path, json={"name": "B"}),
        await client.put(path, json={"name": "C"}),
        await client.delete(path),
        await client.post("/jobs/bulk", json=[samples.job()]),
        await client.options("/users/"),
    ):
        assert response.is_success
        assert response.headers["cache-control"] == "no-store"


async def test_the_openapi_document_has_a_tag(client: Client) -> None:
    assert await still_held(client, "/openapi.json", await tag_of(client, "/openapi.json"))
