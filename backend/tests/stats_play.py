"""Interactions and matches at random, and what the stats come to by a count in plain Python."""

import json
from collections import Counter
from random import Random
from typing import Any

from backend.tests import samples
from backend.tests.client import Client, Json

KINDS = ("viewed", "saved", "applied", "rejected", "withdrawn")
SKILLS = ("Docker", "Go", "docker", "Kafka", "Rust")
USERS, JOBS = 3, 6


class Play:
    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.seed, self.random = seed, Random(seed)
        self.users: list[str] = []
        self.jobs: list[str] = []
        self.interactions: dict[tuple[str, str, str], str] = {}
        """Ids, by user, posting and type."""
        self.matches: dict[tuple[str, str], Json] = {}
        self.keys = 0

    async def begin(self) -> None:
        self.users = [(await self.client.user())["id"] for _ in range(USERS)]
        self.jobs = [(await self.client.job())["id"] for _ in range(JOBS)]

    async def event(self) -> None:
        often = [self.act, self.act, self.turn, self.undo, self.act_in_bulk]
        often += [self.match, self.rematch, self.unmatch, self.match_in_bulk]
        await self.random.choice([*often, *often, *often, self.lose_job, self.lose_user])()

    def stats(self, user: str) -> Json:
        types = Counter(kind for mine, _, kind in self.interactions if mine == user)
        missing = Counter(
            skill
            for (mine, _), match in self.matches.items()
            if mine == user and match["is_active"]
            for skill in set(match["missing"])
        )
        top = min(missing, key=lambda skill: (-missing[skill], skill), default=None)
        return {**{f"jobs_{kind}": types[kind] for kind in KINDS}, "top_missing_skill": top}

    def key(self) -> dict[str, str]:
        self.keys += 1
        return {"Idempotency-Key": f"{self.seed}-{self.keys}"} if self.random.random() < 0.3 else {}

    def pair(self) -> tuple[str, str]:
        return self.random.choice(self.users), self.random.choice(self.jobs)

    def missing(self) -> list[str]:
        return self.random.choices(SKILLS, k=self.random.randrange(4))

    async def act(self) -> None:
        (user, job), kind = self.pair(), self.random.choice(KINDS)
        sent = samples.interaction(user, job, interaction_type=kind)
        answer = await self.client.post("/interactions/", json=sent, headers=self.key())
        there = (user, job, kind) in self.interactions
        assert answer.status_code == (409 if there else 201), answer.text
        if not there:
            self.interactions[user, job, kind] = answer.json()["id"]

    async def turn(self) -> None:
        if not self.interactions:
            return
        user, job, kind = self.random.choice(list(self.interactions))
        new = self.random.choice(KINDS)
        path = f"/interactions/{self.interactions[user, job, kind]}"
        answer = await self.client.patch(path, json={"interaction_type": new})
        there = new != kind and (user, job, new) in self.interactions
        assert answer.status_code == (409 if there else 200), answer.text
        if not there:
            self.interactions[user, job, new] = self.interactions.pop((user, job, kind))

    async def undo(self) -> None:
        if self.interactions:
            key = self.random.choice(list(self.interactions))
            answer = await self.client.delete(f"/interactions/{self.interactions.pop(key)}")
            assert answer.status_code == 204

    async def act_in_bulk(self) -> None:
        keys = [(*self.pair(), self.random.choice(KINDS)) for _ in range(self.random.randrange(1, 6))]
        sent = [samples.interaction(user, job, interaction_type=kind) for user, job, kind in keys]
        for key, one in zip(keys, await self.bulk("/interactions/", sent), strict=True):
            self.interactions.setdefault(key, one["id"])

    async def match(self) -> None:
        pair, missing, active = self.pair(), self.missing(), self.random.random() < 0.8
        details = {"skills_missing": missing}
        sent = samples.match(*pair, is_active=active, match_details=details)
        on_conflict = self.random.choice(["replace", "error"])
        answer = await self.client.post(
            "/job-matches/", params={"on_conflict": on_conflict}, json=sent, headers=self.key()
        )
        refused = on_conflict == "error" and pair in self.matches
        assert answer.status_code == (409 if refused else 200 if pair in self.matches else 201), answer.text
        if not refused:
            self.matches[pair] = {"id": answer.json()["id"], "is_active": active, "missing": missing}

    async def rematch(self) -> None:
        if not self.matches:
            return
        match = self.random.choice(list(self.matches.values()))
        changed: dict[str, Any] = {"is_active": not match["is_active"]}
        if self.random.random() < 0.5:
            changed = {"match_details": {"skills_missing": self.missing()}}
        answer = await self.client.patch(f"/job-matches/{match['id']}", json=changed)
        assert answer.status_code == 200, answer.text
        now = answer.json()
        match |= {"is_active": now["is_active"], "missing": now["match_details"]["skills_missing"]}

    async def unmatch(self) -> None:
        if self.matches:
            gone = self.matches.pop(self.random.choice(list(self.matches)))
            assert (await self.client.delete(f"/job-matches/{gone['id']}")).status_code == 204

    async def match_in_bulk(self) -> None:
        pairs = [self.pair() for _ in range(self.random.randrange(1, 6))]
        new = [{"is_active": self.random.random() < 0.8, "missing": self.missing()} for _ in pairs]
        sent = [
            samples.match(*pair, is_active=one["is_active"], match_details={"skills_missing": one["missing"]})
            for pair, one in zip(pairs, new, strict=True)
        ]
        for pair, one, told in zip(pairs, new, await self.bulk("/job-matches/", sent), strict=True):
            self.matches[pair] = {"id": told["id"], **one}

    async def bulk(self, path: str, sent: list[Json]) -> list[Json]:
        """What became of the items that are good; one that is not may come along."""
        as_lines, bad = self.random.random() < 0.3, self.random.random() < 0.3
        items = [*sent, {**sent[0], "user_id": "f" * 24}] if bad else sent
        query = {"mode": self.random.choice(["replace", "merge"])}
        if not as_lines and not bad and self.random.random() < 0.3:
            query["atomic"] = "true"
        headers = {"Content-Type": "application/x-ndjson" if as_lines else "application/json", **self.key()}
        content = "\n".join(map(json.dumps, items)) if as_lines else json.dumps(items)
        answer = await self.client.post(
            f"{path}bulk", params={**query, "report": "all"}, content=content, headers=headers
        )
        assert answer.status_code == (207 if bad else 200), answer.text
        told: list[Json] = answer.json()["items"]
        return told[: len(sent)]

    async def lose_job(self) -> None:
        gone = self.random.choice(self.jobs)
        assert (await self.client.delete(f"/jobs/{gone}", headers=self.key())).status_code == 204
        self.jobs[self.jobs.index(gone)] = (await self.client.job())["id"]
        self.forget(gone)

    async def lose_user(self) -> None:
        gone = self.random.choice(self.users)
        assert (await self.client.delete(f"/users/{gone}")).status_code == 204
        self.users[self.users.index(gone)] = (await self.client.user())["id"]
        self.forget(gone)

    def forget(self, parent: str) -> None:
        self.interactions = {key: which for key, which in self.interactions.items() if parent not in key}
        self.matches = {key: match for key, match in self.matches.items() if parent not in key}
