"""Random sequences of bulk and single calls do what a plain model in Python does, item by item."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.app.bulk import batches
from backend.app.db.bulk import items, writing
from backend.app.db.mongo import Mongo
from backend.tests import samples
from backend.tests.bulk_model import AHEAD, INTERACTIONS, JOBS, KINDS, LATER, LONG_AGO, MATCHES, Json, Kind
from backend.tests.bulk_play import EMAILS, Again, Bulk, ItemSpec, Parents, Play, Single, Step, UserChange
from backend.tests.client import Client

Fields = dict[str, list[Json]]
Drawn = st.SearchStrategy[Any]

KEYS = {"external_id", "interaction_type"}
POSTINGS = ("a", "b", "c", "d")
POSTING = samples.job(title="Engineer")

# Few values, so that things collide.
FINE: dict[Kind, Fields] = {
    JOBS: {
        "title": ["Engineer", "Analyst", "Clerk"],
        "remote_type": ["hybrid", None],
        "skills_required": [[], ["Go"]],
        "salary_range": [
            {"min": 1},
            {"min": 1.0, "max": 2},
            {"max": 2, "currency": "EUR"},
            {"min": None},
            None,
        ],
        "is_active": [True, False],
        "posted_date": [LONG_AGO, LATER],
    },
    MATCHES: {
        "relevancy_score": [0.5, 0.75, 1],
        "match_reason": ["close", None],
        "is_active": [True, True, False],
        "match_details": [{"skills_missing": names} for names in (["Go"], ["Rust", "Go"], ["Rust"])] + [None],
        "user_snapshot": [{}, {"preferences_at_match": {"at": "Oslo", "deep": [None, {"er": 1}]}}, None],
        "matched_at": [LONG_AGO, LATER, AHEAD],
    },
    INTERACTIONS: {"timestamp": [LONG_AGO, LATER]},
}
WRONG: dict[Kind, Fields] = {
    JOBS: {
        "external_id": ["", None, 5],
        "title": ["", 5, None],
        "skills_required": [[None], "Go"],
        "salary_range": [{"min": 3, "max": 2}, {"min": "1"}, 5],
        "is_active": ["yes"],
        "posted_date": ["soon", 5],
        "tilte": ["Engineer"],
    },
    MATCHES: {
        "relevancy_score": [2, "1", None],
        "match_details": [5, {"skills_mising": []}],
        "user_snapshot": [{"preference": {}}],
        "matched_at": ["soon"],
    },
    INTERACTIONS: {"timestamp": [AHEAD, "soon"], "interaction_type": ["seen", None, ["viewed"]]},
}


def one_of(fields: Fields) -> st.SearchStrategy[dict[str, Json]]:
    return st.sampled_from([{name: value} for name, values in fields.items() for value in values])


def some(kind: Kind) -> st.SearchStrategy[dict[str, Json]]:
    """None to two fields that are fine, and one time in eight one that is not."""
    fine, wrong = one_of(FINE[kind]), one_of(WRONG[kind])
    return st.builds(
        lambda chosen, bad: {name: value for part in (*chosen, bad) for name, value in part.items()},
        st.lists(fine, max_size=2),
        one_in(8, wrong, st.just({})),
    )


def one_in(times: int, rare: Drawn, usual: Drawn) -> Drawn:
    return st.integers(1, times).flatmap(lambda number: rare if number == times else usual)


emails, names = st.sampled_from(EMAILS), st.sampled_from(POSTINGS)
parent_names = st.sampled_from("ababcd")
likely = st.sampled_from(["id", "name", "null"])
unlikely = st.sampled_from(["both", "neither", "absent", "malformed"])
parents = one_in(
    6,
    st.builds(Parents, user=unlikely | st.just("nobody"), email=emails, job=likely, posting=parent_names)
    | st.builds(Parents, user=likely, email=emails, job=unlikely, posting=parent_names),
    st.builds(Parents, user=likely, email=emails, job=likely, posting=parent_names),
)
BASES: dict[Kind, st.SearchStrategy[dict[str, Json]]] = {
    JOBS: st.builds(lambda name: {**POSTING, "external_id": name}, names),
    MATCHES: st.just({"relevancy_score": 0.5}),
    INTERACTIONS: st.sampled_from([{"interaction_type": type_} for type_ in ("viewed", "saved", "applied")]),
}
CHANGES = {kind: some(kind) for kind in KINDS}
ITEMS = {
    kind: st.builds(
        lambda base, fields, named: ItemSpec({**base, **fields}, named), base, some(kind), parents
    )
    for kind, base in BASES.items()
}
# Enough for a merge, where the rest stands.
PARTS = {
    kind: st.builds(
        lambda base, fields, named: ItemSpec({name: base[name] for name in KEYS & set(base)} | fields, named),
        base,
        some(kind),
        parents,
    )
    for kind, base in BASES.items()
}
NO_OBJECTS: tuple[Json, ...] = (None, 5, "text", [], {})
NO_OBJECT = st.sampled_from([ItemSpec(value) for value in NO_OBJECTS])

kinds, modes = st.sampled_from(KINDS), st.sampled_from(["replace", "merge"])


@st.composite
def bulks(draw: st.DrawFn) -> Bulk:
    kind = draw(kinds)
    mode = draw(modes)
    likely_items = st.one_of(ITEMS[kind], PARTS[kind]) if mode == "merge" else ITEMS[kind]
    least = draw(st.sampled_from([0, 2, 5, 5]))
    return Bulk(
        kind,
        draw(st.lists(one_in(30, NO_OBJECT, likely_items), min_size=least, max_size=9)),
        mode,
        as_lines=draw(st.booleans()),
        rehearsed=draw(rarely),
        atomic=draw(rarely),
        keyed=draw(rarely),
    )


rarely = st.sampled_from([False, False, False, True])
which = st.integers(0, 7)
posts = kinds.flatmap(lambda kind: st.builds(Single, st.just(kind), st.just("POST"), ITEMS[kind], which))
changes = kinds.flatmap(
    lambda kind: st.builds(Single, st.just(kind), st.just("PATCH"), st.builds(ItemSpec, CHANGES[kind]), which)
)
removals = st.builds(Single, kinds, st.just("DELETE"), st.just(ItemSpec({})), which)
user_changes = st.builds(UserChange, emails, st.sampled_from([[], ["Go"], ["Go", "Rust"]]))
# Finds what has been changed since, and nothing else.
again = st.builds(
    Again,
    modes,
    st.sampled_from([slice(None), slice(None), slice(1), slice(1, 2), slice(2, 4), slice(-1, None)]),
)
steps = st.lists(
    st.one_of(bulks(), bulks(), bulks(), again, again, posts, changes, removals, user_changes),
    min_size=4,
    max_size=8,
)
POSTINGS_FIRST = Bulk(JOBS, [ItemSpec({**POSTING, "external_id": name}) for name in POSTINGS[:3]])


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a few items are several batches, and a key comes again in the next."""
    monkeypatch.setattr(batches, "ITEMS_IN_A_BATCH", 3)
    monkeypatch.setattr(writing, "DOCUMENTS_AT_A_TIME", 2)
    monkeypatch.setattr(items, "ITEMS_AT_A_TIME", 2)


@given(sequence=steps)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # Each example empties the database for itself.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_a_sequence_of_calls_does_what_the_model_does(
    client: Client, mongo: Mongo, small_batches: None, sequence: Sequence[Step]
) -> None:
    play = Play(client, mongo)
    await play.begin()

    for step in (POSTINGS_FIRST, *sequence):
        await play.take(step)


async def test_of_a_thousand_some_are_new_some_changed_some_bad_and_some_are_what_they_were(
    client: Client, mongo: Mongo
) -> None:
    stored = [samples.job() for _ in range(500)]
    await client.bulk("/jobs/", stored)
    before = {document["external_id"]: document async for document in mongo["jobs"].find()}
    equal = stored[:300]
    changed = [{**job, "title": "Clerk"} for job in stored[300:]]
    fresh = [samples.job() for _ in range(490)]
    bad = [{**samples.job(), "title": ""} for _ in range(10)]
    sent = [*equal, *changed, *fresh, *bad]
    random.Random(3).shuffle(sent)

    answer = (await client.bulk("/jobs/", sent)).json()

    assert answer["summary"] == {"created": 490, "updated": 200, "unchanged": 300, "rejected": 10}
    assert [one["external_id"] for one in answer["items"]] == [job["external_id"] for job in sent]
    status_of = {one["external_id"]: one["status"] for one in answer["items"]}
    for status, jobs in {"created": fresh, "updated": changed, "unchanged": equal, "rejected": bad}.items():
        assert {status_of[job["external_id"]] for job in jobs} == {status}
    after = {document["external_id"]: document async for document in mongo["jobs"].find()}
    assert {name: document["title"] for name, document in after.items()} == {
        job["external_id"]: job["title"] for job in (*equal, *changed, *fresh)
    }
    for job in equal:
        assert after[job["external_id"]] == before[job["external_id"]]
    for job in changed:
        assert after[job["external_id"]]["_id"] == before[job["external_id"]]["_id"]
