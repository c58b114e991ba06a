"""The data layer by itself, collection by collection: create, read, update, delete.

    python3 -m backend.tests.db_crud_example

It works on the test database and leaves nothing behind. Without MONGODB_URI it uses the embedded MongoDB.
"""

import asyncio
import os

from dotenv import load_dotenv

from backend.app.db import ensure_indexes, mongo
from backend.app.db.collection import Collection
from backend.app.db.job_matches import Matches
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, SEARCHES, STATS, USERS
from backend.app.db.users import Users
from backend.app.models.interactions import InteractionIn, InteractionPatch
from backend.app.models.job_matches import MatchIn, MatchPatch
from backend.app.models.jobs import POSTING, JobIn, JobPatch
from backend.app.models.saved_searches import SearchIn, SearchPut
from backend.app.models.stats import StatsPatch
from backend.app.models.users import UserIn, UserPatch
from backend.cli.server import read_settings, served


async def example() -> None:
    # Set database name, use either PROD_DB or TEST_DB
    db_name = os.getenv("TEST_DB")

    connection = await mongo.connect(db_name)
    await ensure_indexes()
    print(f"Connected to {connection.db.name}")

    users, jobs = Users(connection, USERS), Collection(connection, JOBS)
    matches = Matches(connection, MATCHES)
    searches = Collection(connection, SEARCHES)
    interactions = Collection(connection, INTERACTIONS)
    stats = Collection(connection, STATS)

    user = await users.add(UserIn(name="John Doe", email="john.example@test.com"))
    user_id = user["_id"]
    changed = await users.change(user_id, UserPatch.model_validate({"preferences": {"salary_min": 80000}}))
    print("user       ", user_id, "wants at least", changed["preferences"]["salary_min"])

    job = await jobs.add(JobIn.model_validate({**POSTING, "external_id": "db-crud-example"}))
    job_id = job["_id"]
    changed = await jobs.change(job_id, JobPatch.model_validate({"salary_range": {"min": 90000}}))
    print("job        ", job_id, "pays at least", changed["salary_range"]["min"])

    match, new = await matches.put(MatchIn(user_id=user_id, job_id=job_id, relevancy_score=0.87))
    changed = await matches.change(match["_id"], MatchPatch.model_validate({"relevancy_score": 0.95}))
    print("match      ", match["_id"], "new:", new, "score:", changed["relevancy_score"])

    search = await searches.add(SearchIn(user_id=user_id, search_name="Roles", search_query={"title": "ml"}))
    changed = await searches.change(search["_id"], SearchPut.model_validate({"search_name": "New"}))
    print("search     ", search["_id"], changed["search_name"])

    seen = await interactions.add(InteractionIn(user_id=user_id, job_id=job_id, interaction_type="viewed"))
    saved = InteractionPatch.model_validate({"interaction_type": "saved"})
    print("interaction", seen["_id"], (await interactions.change(seen["_id"], saved))["interaction_type"])

    counted = await stats.change(user_id, StatsPatch.model_validate({"jobs_viewed": 5}))
    print("stats      ", counted["_id"], "viewed:", counted["jobs_viewed"])

    page = await matches.page({"user_id": user_id, "is_active": True}, limit=10)
    print("matches of the user:", [found["relevancy_score"] for found in page.documents])

    await users.remove(user_id)
    await jobs.remove(job_id)
    print(
        "removed, and all that belonged to them:", await matches.count({"user_id": user_id}), "matches left"
    )

    # Close connection to MongoDB
    await mongo.close()


def main() -> None:
    # Load environment variables
    load_dotenv()
    with served(read_settings()) as settings:
        os.environ["MONGODB_URI"] = settings.uri
        asyncio.run(example())


if __name__ == "__main__":
    main()
