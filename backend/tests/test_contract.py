"""What holds for every resource alike. A new resource joins by a line in RESOURCES."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from backend.tests.client import Client

ABSENT = "5" * 24
Make = Callable[[Client], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Resource:
    path: str
    make: Make
    noun: str
    label: str
    change: dict[str, Any]
    other_change: dict[str, Any]
    has_put: bool = True
    is_fixed: bool = False
    """Clients can neither change nor remove one."""

    def __str__(self) -> str:
        return self.path.strip("/")


RESOURCES = (
    Resource("/users/", Client.user, "user", "User", {"name": "B"}, {"name": "C"}),
    Resource("/jobs/", Client.job, "job", "Job", {"title": "B"}, {"title": "C"}),
    Resource(
        "/job-matches/",
        Client.match,
        "match",
        "Match",
        {"relevancy_score": 0.1},
        {"relevancy_score": 0.2},
        has_put=False,
    ),
    Resource(
        "/saved-searches/",
        Client.search,
        "search",
        "SavedSearch",
        {"search_name": "B"},
        {"search_name": "C"},
    ),
    Resource(
        "/interactions/",
        Client.interaction,
        "interaction",
        "Interaction",
        {"interaction_type": "saved"},
        {"interaction_type": "applied"},
        has_put=False,
    ),
    Resource("/ingest-runs/", Client.run, "run", "IngestRun", {}, {}, is_fixed=True),
)
resources = pytest.mark.parametrize("resource", RESOURCES, ids=str)
changeable = pytest.mark.parametrize("resource", [one for one in RESOURCES if not one.is_fixed], ids=str)


def updates(resource: Resource) -> list[str]:
    return ["PATCH", "PUT"] if resource.has_put else ["PATCH"]


def verbs(resource: Resource) -> list[str]:
    return ["GET"] if resource.is_fixed else ["GET", "DELETE", *updates(resource)]


@resources
async def test_both_slash_forms_answer_without_a_redirect(client: Client, resource: Resource) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"

    assert (await client.get(path)).json() == (await client.get(path + "/")).json() == made
    assert (await client.post(resource.path.rstrip("/"), json={})).status_code == 422
    assert (await client.post(resource.path, json={})).status_code == 422


@resources
async def test_an_id_is_24_hex_digits_and_underscores_stay_inside(client: Client, resource: Resource) -> None:
    made = await resource.make(client)

    assert len(made["id"]) == 24
    assert made["id"] == made["id"].lower()
    assert not [name for name in made if name.startswith("_")]
    assert "revision" not in made


@resources
@pytest.mark.parametrize("malformed", ["x", "5" * 23, "5" * 25, "g" * 24, "٥" * 24, "%00"])
async def test_a_malformed_id_is_400_on_every_verb(
    client: Client, resource: Resource, malformed: str
) -> None:
    path = f"{resource.path}{malformed}"

    for method in verbs(resource):
        body = resource.change if method in ("PATCH", "PUT") else None
        response = await client.request(method, path, json=body)
        assert (response.status_code, response.json()["detail"]) == (400, f"Invalid {resource.noun} ID")


@resources
async def test_a_missing_document_is_404_on_every_verb(client: Client, resource: Resource) -> None:
    path = f"{resource.path}{ABSENT}"

    for method in verbs(resource):
        body = resource.change if method in ("PATCH", "PUT") else None
        response = await client.request(method, path, json=body)
        assert (response.status_code, response.json()["detail"]) == (404, f"{resource.label} not found")


@changeable
async def test_an_update_of_nothing_is_400(client: Client, resource: Resource) -> None:
    made = await resource.make(client)

    for method in updates(resource):
        response = await client.request(method, f"{resource.path}{made['id']}", json={})
        assert response.status_code == 400
        assert response.json()["detail"] == "No fields provided for update"


@changeable
async def test_an_unknown_field_is_422_with_its_place(client: Client, resource: Resource) -> None:
    made = await resource.make(client)

    for method, path in (("POST", resource.path), ("PATCH", f"{resource.path}{made['id']}")):
        response = await client.request(method, path, json={**resource.change, "a/b~c": 1})
        assert response.status_code == 422
        assert {"/a~1b~0c"} <= {fault["pointer"] for fault in response.json()["errors"]}


@changeable
async def test_an_entity_tag_changes_when_the_document_does(client: Client, resource: Resource) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"

    first = (await client.get(path)).headers["etag"]
    again = (await client.get(path)).headers["etag"]
    patched = await client.patch(path, json=resource.change)

    assert first == again
    assert first.startswith('"')
    assert patched.headers["etag"] not in (first, None)
    assert (await client.get(path)).headers["etag"] == patched.headers["etag"]


@resources
async def test_a_held_entity_tag_answers_304(client: Client, resource: Resource) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"
    tag = (await client.get(path)).headers["etag"]

    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = await client.get(path, headers={"If-None-Match": held})
        assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", tag)
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@changeable
async def test_a_stale_entity_tag_is_412_and_changes_nothing(client: Client, resource: Resource) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"
    stale = {"If-Match": (await client.get(path)).headers["etag"]}
    changed = (await client.patch(path, json=resource.change, headers=stale)).json()

    for method in ("DELETE", *updates(resource)):
        body = None if method == "DELETE" else resource.other_change
        response = await client.request(method, path, headers=stale, json=body)
        assert (response.status_code, response.json()["code"]) == (412, "stale")
    assert (await client.get(path)).json() == changed
    weak = {"If-Match": "W/" + (await client.get(path)).headers["etag"]}
    assert (await client.delete(path, headers=weak)).status_code == 412
    assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 204


@changeable
async def test_a_fresh_entity_tag_lets_a_change_and_a_removal_through(
    client: Client, resource: Resource
) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"
    tag = (await client.get(path)).headers["etag"]

    patched = await client.patch(path, json=resource.change, headers={"If-Match": f'"other", {tag}'})
    deleted = await client.delete(path, headers={"If-Match": patched.headers["etag"]})

    assert (patched.status_code, deleted.status_code) == (200, 204)


@changeable
async def test_what_was_removed_is_gone(client: Client, resource: Resource) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"

    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 404


@resources
async def test_a_head_is_a_get_without_the_body(client: Client, resource: Resource) -> None:
    made = await resource.make(client)
    path = f"{resource.path}{made['id']}"

    get, head = await client.get(path), await client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


@resources
async def test_a_method_that_is_not_there_is_405_and_says_what_is(client: Client, resource: Resource) -> None:
    one = await client.request("POST", f"{resource.path}{ABSENT}", json={})
    many = await client.request("DELETE", resource.path)

    assert (one.status_code, many.status_code) == (405, 405)
    assert one.headers["allow"] == ", ".join(sorted({*verbs(resource), "HEAD", "OPTIONS"}))
    assert "POST" in many.headers["allow"]


async def test_a_problem_says_what_went_wrong_to_people_and_to_programs(client: Client) -> None:
    response = await client.get(f"/users/{ABSENT}", headers={"X-Request-ID": "me-1"})

    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "User not found",
        "code": "not_found",
        "request_id": "me-1",
    }


async def test_each_fault_is_listed_once_up_to_fifty(client: Client) -> None:
    few = await client.post("/users/", json={"email": "nobody", "preferences": {"skills": "Go"}})
    many = await client.post("/jobs/", json={f"field{number}": 1 for number in range(80)})

    assert [fault["pointer"] for fault in few.json()["errors"]] == ["/name", "/email", "/preferences/skills"]
    assert {fault["code"] for fault in few.json()["errors"]} == {"missing", "email", "array_type"}
    assert len(many.json()["errors"]) == 50
    assert many.json()["detail"] == "The request has 85 faults"


async def test_a_path_that_is_not_there_is_a_problem_too(client: Client) -> None:
    response = await client.get("/nowhere")

    assert (response.status_code, response.json()["code"]) == (404, "no_such_path")


async def test_an_unknown_parameter_is_422_and_not_silence(client: Client) -> None:
    response = await client.get("/jobs/?limmit=5")

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/limmit"


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 64])
async def test_a_request_id_that_is_fit_is_taken(client: Client, sent: str) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": sent})

    assert response.headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a/b", "é"])
async def test_a_request_id_that_is_not_is_replaced(client: Client, sent: str) -> None:
    response = await client.get("/livez", headers=[(b"X-Request-ID", sent.encode())])

    assert response.headers["x-request-id"] not in ("", sent)


async def test_every_request_has_its_own_id(client: Client) -> None:
    ids = {(await client.get("/livez")).headers["x-request-id"] for _ in range(20)}

    assert len(ids) == 20


async def test_the_service_tells_that_it_is_well(client: Client) -> None:
    health = await client.get("/health")

    assert health.json() == {
        "status": "healthy",
        "mongodb": {"connected": True, "message": "The database answers"},
    }
    assert (await client.get("/livez")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}
