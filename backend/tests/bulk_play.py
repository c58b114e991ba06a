"""Calls played against the app and the plain model at once: answers and documents are held against it."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

import bson
import httpx

from backend.app.db.mongo import Mongo
from backend.app.db.schema import LEDGERS, TABLE
from backend.app.models.base import now
from backend.app.models.searchable import searchable
from backend.tests.bulk_model import JOBS, KINDS, MATCHES, NOW, Json, Key, Kind, Model
from backend.tests.client import Client

ABSENT = "f" * 24
EMAILS = ("ada@example.com", "grace@example.com")
SERVERS_OWN = {"_id", "revision", "seal", "created_at", "updated_at", "search"}

numbers = count(1)

Stored = dict[Key, dict[str, Json]]


@dataclass(frozen=True)
class Parents:
    """How an item names them: by id, by name, by both, by neither, or not as they are."""

    user: str
    email: str
    job: str
    posting: str


@dataclass(frozen=True)
class ItemSpec:
    """An item, but for the ids, which are not known before it is sent."""

    fields: Json
    parents: Parents | None = None


@dataclass(frozen=True)
class Bulk:
    kind: Kind
    items: Sequence[ItemSpec]
    mode: str = "replace"
    as_lines: bool = False
    rehearsed: bool = False
    """Whether a dry run comes first."""
    atomic: bool = False
    keyed: bool = False


@dataclass(frozen=True)
class Single:
    kind: Kind
    verb: str
    item: ItemSpec
    which: int
    """For a change or a removal: one of those that stand."""


@dataclass(frozen=True)
class UserChange:
    email: str
    skills: Sequence[str]


@dataclass(frozen=True)
class Again:
    """Some items of the bulk call before, byte for byte."""

    mode: str
    items: slice


Step = Bulk | Single | UserChange | Again


def plain(value: Json) -> Json:
    """As JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, bson.ObjectId):
        return str(value)
    return value


@dataclass
class Play:
    client: Client
    mongo: Mongo
    model: Model = field(default_factory=Model)
    last: Bulk | None = None

    async def begin(self) -> None:
        for collection in (*TABLE, *LEDGERS):
            await self.mongo[collection.name].delete_many({})
        for email in EMAILS:
            self._know(await self.client.user(email=email, credentials={"years": 3}))

    def _know(self, user: Json) -> None:
        preferences = {name: value for name, value in user["preferences"].items() if value is not None}
        self.model.users[user["id"]] = {**user, "preferences": preferences}

    async def dump(self) -> dict[str, list[bytes]]:
        """All that is stored, what the service notes for itself included, byte for byte."""
        return {
            one.name: [bson.encode(found) for found in await self.mongo.find(one.name, {}, sort=[("_id", 1)])]
            for one in (*TABLE, *LEDGERS)
        }

    async def stored(self, kind: Kind) -> Stored:
        found = await self.mongo.find(kind.collection, {})
        by_key = {tuple(plain(one[name]) for name in kind.key): one for one in found}
        assert len(by_key) == len(found)
        return by_key

    async def take(self, step: Step) -> None:
        if isinstance(step, UserChange):
            (user,) = [one for one in self.model.users.values() if one["email"] == step.email]
            change = {"preferences": {"skills": step.skills}}
            self._know((await self.client.patch(f"/users/{user['id']}", json=change)).json())
            return
        if isinstance(step, Again):
            assert self.last is not None
            step = replace(self.last, mode=step.mode, items=self.last.items[step.items])
        elif isinstance(step, Bulk):
            self.last = step
        before = {kind.collection: await self.stored(kind) for kind in KINDS}
        began = plain(now())
        written = await (self.bulk(step) if isinstance(step, Bulk) else self.single(step))
        for kind in KINDS:
            mine = written if kind is step.kind else set()
            self.compare(kind, before[kind.collection], await self.stored(kind), mine, began)

    def compare(self, kind: Kind, before: Stored, after: Stored, written: set[Key], began: str) -> None:
        """What stands is what the model has; what nothing changed is not even written again."""
        rows, ended = self.model.of(kind), plain(now())
        assert set(after) == set(rows)
        for key, document in after.items():
            row = rows[key]
            shown = {name: plain(value) for name, value in document.items() if name not in SERVERS_OWN}
            if row[kind.time] == NOW:
                assert began <= shown[kind.time] <= ended
                row[kind.time] = shown[kind.time]
            row.setdefault("id", str(document["_id"]))
            parts = dict(zip(kind.key, key, strict=True))
            assert {**shown, "id": str(document["_id"])} == {**row, **parts}
            if kind is JOBS:
                assert document["search"] == searchable(document)
            old = before.get(key)
            if old is None or old["_id"] != document["_id"]:
                assert key in written
            elif key not in written:
                assert bson.encode(document) == bson.encode(old)
            else:
                assert document["revision"] > old["revision"]
                assert document.get("created_at") == old.get("created_at")
                assert kind is not JOBS or began <= plain(document["updated_at"]) <= ended

    def item(self, kind: Kind, spec: ItemSpec) -> Json:
        if kind is JOBS or not isinstance(spec.fields, dict) or spec.parents is None:
            return spec.fields
        named = spec.parents
        user = next(id_ for id_, one in self.model.users.items() if one["email"] == named.email)
        job = self.model.of(JOBS).get((named.posting,), {}).get("id", ABSENT)
        return {
            **reference("user_id", user, "user_email", named.email.upper(), named.user),
            **reference("job_id", job, "job_external_id", named.posting, named.job),
            **spec.fields,
        }

    async def bulk(self, step: Bulk) -> set[Key]:
        """The keys of what it wrote."""
        items = [self.item(step.kind, spec) for spec in step.items]
        standing = {row["id"] for row in self.model.of(step.kind).values()}
        trial = deepcopy(self.model)
        outcomes = trial.bulk(step.kind, items, step.mode)
        rehearsal = await self.rehearse(step, items) if step.rehearsed else None
        answer = await self.send(step, items)
        if rehearsal is not None:
            told = answer.json()
            for one in told.get("items", []):
                one["id"] = one["id"] if one["id"] in standing else None
            assert (rehearsal.status_code, same(rehearsal.json())) == (answer.status_code, same(told))
        bad = {index for index, (status, _) in enumerate(outcomes) if status == "rejected"}
        if is_atomic(step) and bad:
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
            assert {int(fault["pointer"].split("/")[1]) for fault in answer.json()["errors"]} == bad
            return set()
        self.model = trial
        await self.check(step, outcomes, answer)
        return {key for status, key in outcomes if status in ("created", "updated") and key is not None}

    async def rehearse(self, step: Bulk, items: list[Json]) -> httpx.Response:
        before = await self.dump()
        answer = await self.send(step, items, dry_run="true")
        assert await self.dump() == before
        return answer

    async def send(self, step: Bulk, items: list[Json], **query: str) -> httpx.Response:
        query |= {"mode": step.mode, "report": "all"}
        if is_atomic(step):
            query["atomic"] = "true"
        key = f"play-{next(numbers)}" if step.keyed else None
        return await self.client.bulk(step.kind.path, items, as_lines=step.as_lines, key=key, **query)

    async def check(
        self, step: Bulk, outcomes: Sequence[tuple[str, Key | None]], answer: httpx.Response
    ) -> None:
        told = answer.json()
        counts = Counter(status for status, _ in outcomes)
        assert answer.status_code == (207 if counts["rejected"] else 200), answer.text
        assert told["summary"] == {
            name: counts[name] for name in ("created", "updated", "unchanged", "rejected")
        }
        assert [(one["index"], one["status"]) for one in told["items"]] == [
            (index, status) for index, (status, _) in enumerate(outcomes)
        ]
        assert not told["truncated"]
        ids = {key: str(document["_id"]) for key, document in (await self.stored(step.kind)).items()}
        for one, (status, key) in zip(told["items"], outcomes, strict=True):
            assert bool(one["errors"]) == (one["id"] is None) == (status == "rejected")
            if key is not None:
                assert tuple(one[name] for name in step.kind.key) == key
                assert one["id"] in (None, ids.get(key))
        if step.kind is not JOBS:
            await self.check_stats({key[0] for status, key in outcomes if key and status != "rejected"})

    async def check_stats(self, users: set[str]) -> None:
        for user in users:
            stats = (await self.client.get(f"/users/{user}/stats")).json()
            expected = self.model.stats_of(user)
            assert {name: stats[name] for name in expected} == expected
            assert stats["last_calculated"] is not None

    async def single(self, step: Single) -> set[Key]:
        rows, kind = self.model.of(step.kind), step.kind
        if step.verb == "POST":
            return await self.post(kind, self.item(kind, step.item))
        if not rows:
            return set()
        key = sorted(rows)[step.which % len(rows)]
        path = f"{kind.path}{rows[key]['id']}"
        if step.verb == "DELETE":
            assert (await self.client.delete(path)).status_code == 204
            self.model.remove(kind, key)
            return set()
        change = {name: value for name, value in step.item.fields.items() if name not in kind.key}
        status, _ = self.model.take(kind, {**change, **dict(zip(kind.key, key, strict=True))}, merge=True)
        answer = await self.client.patch(path, json=change)
        assert answer.is_success == (status != "rejected" and bool(change)), answer.text
        return {key} if status == "updated" else set()

    async def post(self, kind: Kind, item: Json) -> set[Key]:
        key = self.model.key_of(kind, item)
        standing = self.model.of(kind).pop(key, None) if key else None
        status, _ = self.model.take(kind, item, merge=False)
        names_by_id = kind is JOBS or not {"user_email", "job_external_id"} & set(item)
        done = status == "created" and names_by_id and (standing is None or kind is MATCHES)
        answer = await self.client.post(kind.path, json=item)
        assert answer.is_success == done, answer.text
        if key is None:
            return set()
        if not done:
            self.model.of(kind).pop(key, None)
            if standing is not None:
                self.model.of(kind)[key] = standing
            return set()
        if standing is not None:
            self.model.of(kind)[key]["id"] = standing["id"]
        return {key}


def same(told: Json) -> Json:
    return {name: value for name, value in told.items() if name != "request_id"}


def is_atomic(step: Bulk) -> bool:
    return step.atomic and not step.as_lines


def reference(id_name: str, id_: str, name: str, value: str, how: str) -> dict[str, Json]:
    ways: dict[str, dict[str, Json]] = {
        "id": {id_name: id_},
        "name": {name: value},
        "both": {id_name: id_, name: value},
        "neither": {},
        "null": {id_name: None, name: value},
        "absent": {id_name: ABSENT},
        "nobody": {name: "nobody@example.com"},
        "malformed": {id_name: "5"},
    }
    return ways[how]
