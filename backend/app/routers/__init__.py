"""The verbs of each resource."""

from backend.app.routers import (
    bulk,
    exports,
    health,
    ingest_runs,
    interactions,
    job_matches,
    jobs,
    overview,
    saved_searches,
    stats,
    users,
)

# A request is matched against one after the other: those asked most often come first. On the docs pages the
# order is that of the tags.
ROUTERS = (
    jobs.router,
    job_matches.router,
    users.router,
    stats.router,
    overview.router,
    saved_searches.router,
    interactions.router,
    ingest_runs.router,
    ingest_runs.endings,
    bulk.router,
    exports.router,
    health.router,
)
