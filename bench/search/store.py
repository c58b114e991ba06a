"""The database that is asked: a million postings in it, kept for the next run if that is wanted."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bson import MinKey
from pymongo import MongoClient
from pymongo.database import Database

from backend.app.db.indexes import wanted
from backend.mongod import Server, running, temporary
from bench.rounds import DATABASE, Say
from bench.search.postings import batches, stored

NOTE = "bench_note"
"""The collection that says which postings these are."""
BLOCK = 5_000
GIB = 2**30
MOST_CACHE_GB = 8.0

Store = Database[dict[str, Any]]


def cache_gb() -> float:
    """What MongoDB takes by itself: half of the memory but a gigabyte, and never more than this needs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return max(1.0, min(MOST_CACHE_GB, round((memory - 1) / 2, 1)))


@contextmanager
def serving(keep: Path | None) -> Iterator[Server]:
    """A MongoDB for this run alone, or one that goes on from a directory."""
    with running(keep, cache_gb=cache_gb()) if keep else temporary(cache_gb=cache_gb()) as server:
        yield server


def filled(uri: str, postings: int, say: Say) -> tuple[Store, dict[str, float]]:
    """With just these postings in it, and nothing that the app has noted before; and how large it is."""
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    database = client[DATABASE]
    note = {"_id": "postings", "made": fingerprint(postings)}
    if database[NOTE].find_one() != note:
        client.drop_database(DATABASE)
        load(uri, postings, say)
        database[NOTE].insert_one(note)
    for name in database.list_collection_names():
        if name not in (NOTE, "jobs"):
            database.drop_collection(name)
    for number, (keys, options) in enumerate(wanted()["jobs"], 1):
        say(f"index {number} of {len(wanted()['jobs'])}: {', '.join(name for name, _ in keys)}")
        database["jobs"].create_index(list(keys), **options)
    sizes = database.command("collStats", "jobs", scale=10**6)
    return database, {"documents": sizes["size"], "indexes": sizes["totalIndexSize"]}


def fingerprint(postings: int) -> str:
    """Another, if anything about them is."""
    sample = [stored(number, postings) for number in range(0, postings, max(1, postings // 100))]
    return blake2b(repr((postings, sample)).encode(), digest_size=16).hexdigest()


def load(uri: str, postings: int, say: Say) -> None:
    """About in the order of their numbers, as they would have come."""
    starts = range(0, postings, BLOCK)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        blocks = [pool.submit(load_block, uri, start, postings) for start in starts]
        try:
            for done, block in enumerate(as_completed(blocks), 1):
                block.result()
                say(f"{min(done * BLOCK, postings):,} of {postings:,} postings stored")
        finally:
            # Who breaks off does not wait for all the others.
            pool.shutdown(cancel_futures=True)


def load_block(uri: str, start: int, postings: int) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        for batch in batches(start, min(start + BLOCK, postings), postings):
            client[DATABASE]["jobs"].insert_many(batch, ordered=False)


def warmed(database: Store, say: Say) -> None:
    """Read all of it once: what has been served for a while is in memory, as far as that goes."""
    jobs = database["jobs"]
    say("reading every posting once")
    jobs.count_documents({"title": ""}, hint={"$natural": 1})
    for name, about in jobs.index_information().items():
        say(f"reading the index {name} once")
        first, _ = about["key"][0]
        # Each key is passed by, and no posting fetched.
        database.command("count", "jobs", query={first: {"$gte": MinKey()}}, hint=name)
