"""The verbs of each resource. This list is the order of the docs pages."""

from backend.app.routers import (
    health,
    interactions,
    job_matches,
    jobs,
    saved_searches,
    stats,
    users,
)

ROUTERS = (
    users.router,
    stats.router,
    jobs.router,
    job_matches.router,
    saved_searches.router,
    interactions.router,
    health.router,
)
