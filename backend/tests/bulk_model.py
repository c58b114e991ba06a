"""Bulk calls as they should work out, in plain Python: dicts by key, and nothing that the app is made of."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Any
Key = tuple[str, ...]
Rows = dict[Key, dict[str, Json]]

NOW = "<the time of the call>"
LONG_AGO, LATER, AHEAD = "2026-01-02T03:04:05.000Z", "2026-02-03T04:05:06.789Z", "2999-01-01T00:00:00.000Z"
KINDS_OF_INTERACTION = ("viewed", "saved", "applied", "rejected", "withdrawn")
PARENT_NAMES = {"user_id", "user_email", "job_id", "job_external_id"}


class RefusedError(Exception):
    """The item is not one that can be stored."""


def need(holds: object) -> None:
    if not holds:
        raise RefusedError


def is_text(value: Json, least: int = 0) -> bool:
    return isinstance(value, str) and len(value) >= least


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_moment(value: Json) -> bool:
    return value == NOW or (is_text(value) and len(value) == len(LONG_AGO))


def texts(value: Json) -> bool:
    return isinstance(value, list) and all(is_text(one) for one in value)


def without_nulls(value: dict[str, Json], optional: Iterable[str]) -> dict[str, Json]:
    """An optional field that is null is one that is not there."""
    return {name: one for name, one in value.items() if one is not None or name not in set(optional)}


def shaped(value: Json, known: Iterable[str], optional: Iterable[str], **defaults: Json) -> dict[str, Json]:
    need(isinstance(value, dict) and set(value) <= set(known))
    return {**defaults, **without_nulls(value, optional)}


def posting(sent: dict[str, Json]) -> dict[str, Json]:
    required = ("external_id", "title", "company", "description", "location")
    optional = ("remote_type", "salary_range")
    others = ("skills_required", "is_active", "posted_date")
    made = shaped(sent, (*required, *optional, *others), optional, skills_required=[], is_active=True)
    need(all(is_text(made.get(name), least=name in ("external_id", "title")) for name in required))
    need(is_text(made.get("remote_type", "")) and texts(made["skills_required"]))
    need(made["is_active"] in (True, False) and is_moment(made.get("posted_date", NOW)))
    if "salary_range" in made:
        made["salary_range"] = pay(made["salary_range"])
    return made


def pay(sent: Json) -> dict[str, Json]:
    made = shaped(sent, ("min", "max", "currency"), ("min", "max"), currency="USD")
    need(all(is_number(made[name]) and made[name] >= 0 for name in ("min", "max") if name in made))
    need(made.get("min", 0) <= made.get("max", made.get("min", 0)) and made["currency"] in ("USD", "EUR"))
    return made


def match(sent: dict[str, Json]) -> dict[str, Json]:
    optional = ("match_reason", "match_details", "user_snapshot")
    made = shaped(sent, ("relevancy_score", "is_active", "matched_at", *optional), optional, is_active=True)
    need(is_number(made.get("relevancy_score")) and 0 <= made["relevancy_score"] <= 1)
    need(made["is_active"] in (True, False) and is_moment(made.get("matched_at", NOW)))
    need(is_text(made.get("match_reason", "")))
    if "match_details" in made:
        skills: dict[str, Json] = {"skills_matched": [], "skills_missing": []}
        details = shaped(made["match_details"], (*skills, "overall_compatibility"), (), **skills)
        need(texts(details["skills_matched"]) and texts(details["skills_missing"]))
        made["match_details"] = details
    if "user_snapshot" in made:
        parts: dict[str, Json] = {"preferences_at_match": {}, "credentials_at_match": {}}
        made["user_snapshot"] = shaped(made["user_snapshot"], parts, (), **parts)
    return made


def interaction(sent: dict[str, Json]) -> dict[str, Json]:
    made = shaped(sent, ("interaction_type", "timestamp"), ())
    need(made.get("interaction_type") in KINDS_OF_INTERACTION)
    need(is_moment(made.get("timestamp", NOW)) and made.get("timestamp") != AHEAD)
    return made


def patched(target: Json, patch: Json) -> Json:
    """RFC 7396, as its own pseudocode has it."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = patched(made.get(name), value)
    return made


@dataclass(frozen=True)
class Kind:
    path: str
    collection: str
    shape: Callable[[dict[str, Json]], dict[str, Json]]
    time: str
    """Filled in by the server, and no change by itself."""
    keeps_time: bool
    key: tuple[str, ...]


JOBS = Kind("/jobs/", "jobs", posting, "posted_date", True, ("external_id",))
MATCHES = Kind("/job-matches/", "job_matches", match, "matched_at", False, ("user_id", "job_id"))
INTERACTIONS = Kind(
    "/interactions/",
    "user_job_interactions",
    interaction,
    "timestamp",
    False,
    ("user_id", "job_id", "interaction_type"),
)
KINDS = (JOBS, MATCHES, INTERACTIONS)


@dataclass
class Model:
    users: dict[str, dict[str, Json]] = field(default_factory=dict)
    """By id: what is known of each."""
    rows: dict[str, Rows] = field(default_factory=lambda: {kind.collection: {} for kind in KINDS})
    """By collection and key; each with its `id`, once that is known."""

    def of(self, kind: Kind) -> Rows:
        return self.rows[kind.collection]

    def bulk(self, kind: Kind, items: Sequence[Json], mode: str) -> list[tuple[str, Key | None]]:
        """What becomes of each, and the key that it is about."""
        return [self.take(kind, item, merge=mode == "merge") for item in items]

    def take(self, kind: Kind, item: Json, *, merge: bool) -> tuple[str, Key | None]:
        key = self.key_of(kind, item)
        if key is None:
            return "rejected", None
        fields = {name: value for name, value in item.items() if kind is JOBS or name not in PARENT_NAMES}
        standing = self.of(kind).get(key)
        try:
            made, filled = self.made(kind, key, fields, standing if merge else None, merge=merge)
        except RefusedError:
            return "rejected", key
        if standing is None:
            self.of(kind)[key] = made
            return "created", key
        before = {name: value for name, value in standing.items() if name not in (*filled, "id")}
        if before == {name: value for name, value in made.items() if name not in filled}:
            return "unchanged", key
        if kind.keeps_time and kind.time in filled:
            made[kind.time] = standing[kind.time]
        self.of(kind)[key] = {**made, "id": standing["id"]} if "id" in standing else made
        return "updated", key

    def made(
        self, kind: Kind, key: Key, fields: dict[str, Json], base: dict[str, Json] | None, *, merge: bool
    ) -> tuple[dict[str, Json], set[str]]:
        """The row that an item makes, and what of it the server filled in."""
        if merge:
            fields = patched({name: value for name, value in (base or {}).items() if name != "id"}, fields)
        made = kind.shape(fields)
        filled = set()
        if kind.time not in made:
            filled.add(kind.time)
            made[kind.time] = NOW
        # A merge may take it away for good.
        if kind is MATCHES and "user_snapshot" not in made and base is None:
            filled.add("user_snapshot")
            user = self.users[key[0]]
            made["user_snapshot"] = {
                "preferences_at_match": user["preferences"],
                "credentials_at_match": user["credentials"],
            }
        return made, set() if base else filled

    def key_of(self, kind: Kind, item: Json) -> Key | None:
        if not isinstance(item, dict):
            return None
        if kind is JOBS:
            name: Json = item.get("external_id")
            return (name,) if is_text(name, 1) else None
        user, job = self.user_of(item), self.job_of(item)
        if user is None or job is None:
            return None
        if kind is MATCHES:
            return user, job
        type_ = item.get("interaction_type")
        return (user, job, type_) if type_ in KINDS_OF_INTERACTION else None

    def user_of(self, item: dict[str, Json]) -> str | None:
        by_id: Json = item.get("user_id")
        by_email: Json = item.get("user_email")
        if (by_id is None) == (by_email is None):
            return None
        if by_id is not None:
            return by_id if by_id in self.users else None
        return next((id_ for id_, user in self.users.items() if user["email"] == by_email.lower()), None)

    def job_of(self, item: dict[str, Json]) -> str | None:
        by_id: Json = item.get("job_id")
        by_name: Json = item.get("job_external_id")
        if (by_id is None) == (by_name is None):
            return None
        jobs = self.of(JOBS)
        if by_id is not None:
            return by_id if by_id in {job["id"] for job in jobs.values()} else None
        found = jobs.get((by_name,))
        return None if found is None else found["id"]

    def remove(self, kind: Kind, key: Key) -> None:
        gone = self.of(kind).pop(key)
        if kind is JOBS:
            for below in (MATCHES, INTERACTIONS):
                for child in [child for child in self.of(below) if child[1] == gone["id"]]:
                    del self.of(below)[child]

    def stats_of(self, user: str) -> dict[str, Json]:
        types = Counter(key[2] for key in self.of(INTERACTIONS) if key[0] == user)
        missing = Counter(
            skill
            for key, row in self.of(MATCHES).items()
            if key[0] == user and row["is_active"]
            for skill in row.get("match_details", {}).get("skills_missing", [])
        )
        top = min(missing, key=lambda skill: (-missing[skill], skill), default=None)
        return {"jobs_viewed": types["viewed"], "jobs_saved": types["saved"], "top_missing_skill": top}
