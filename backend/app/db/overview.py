"""What there is in the whole service: one walk over all postings, so never in haste."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from backend.app.db.failures import driver_errors
from backend.app.db.mongo import Mongo
from backend.app.db.schema import INTERACTIONS, JOBS, MATCHES, USERS
from backend.app.db.standing import Answer, Standing
from backend.app.models.base import Document, now

NAME = "overview"
WEEKS = 12
WEEK = timedelta(weeks=1)
MOST_SOURCES = 5
MOST_NAMES = 10
# What is counted of a posting; most of it is text.
READ = ("is_active", "company", "created_at", "source_platform", "posted_date", "skills_required")
ACTIVE: Document = {"$match": {"is_active": True}}
# The greatest count first; of equals, the first by name.
GREATEST_FIRST: Document = {"$sort": {"postings": -1, "_id": 1}}
# As they lie on the disk: by way of an index, a million take a minute instead of seconds.
AS_THEY_LIE: Document = {"$natural": 1}

Pipeline = list[Document]
Weeks = Mapping[datetime, int]


async def overview(standing: Standing, patience: float | None = None) -> Answer:
    async def work() -> Document:
        return await counted(standing.mongo, now())

    return await standing.answer(NAME, (JOBS, INTERACTIONS), work, patience)


async def counted(mongo: Mongo, present: datetime) -> Document:
    """The overview as of a moment."""
    with driver_errors():
        postings = await _postings(mongo, present)
        applied = await mongo.aggregate(INTERACTIONS.name, applications(present), slow=True)
        totals = postings["totals"][0] if postings["totals"] else {"active": 0, "new": 0, "companies": []}
        return {
            "users": await mongo[USERS.name].estimated_document_count(),
            "postings": await mongo[JOBS.name].estimated_document_count(),
            "active_postings": totals["active"],
            "new_postings": totals["new"],
            "matches": await mongo[MATCHES.name].estimated_document_count(),
            "postings_by_week": _by_week(postings["weeks"], postings["sources"], present),
            "postings_by_source": [
                {"source_platform": source["_id"], "postings": source["postings"]}
                for source in postings["sources"]
            ],
            "top_companies": totals["companies"],
            "top_skills": [
                {"name": skill["_id"], "postings": skill["postings"]} for skill in postings["skills"]
            ],
            "applications_by_week": _applications_by_week(applied, present),
        }


def weeks(present: datetime) -> Iterator[datetime]:
    """The Mondays that the weeks begin with, the present week last."""
    monday = present.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=present.weekday())
    return (monday - WEEK * ago for ago in range(WEEKS - 1, -1, -1))


def applications(present: datetime) -> Pipeline:
    return [
        {"$match": {"interaction_type": "applied", "timestamp": _within(present)}},
        {"$group": {"_id": _week_of("timestamp"), "count": {"$sum": 1}}},
    ]


async def _postings(mongo: Mongo, present: datetime) -> Document:
    questions: dict[str, Pipeline] = {
        "totals": _totals(present - WEEK),
        "weeks": [
            {"$match": {"posted_date": _within(present)}},
            {"$group": {"_id": _week_of("posted_date"), "count": {"$sum": 1}}},
        ],
        "sources": _sources(present),
        "skills": _skills(),
    }
    pipeline: Pipeline = [{"$project": dict.fromkeys(READ, 1)}, {"$facet": questions}]
    (found,) = await mongo.aggregate(JOBS.name, pipeline, slow=True, hint=AS_THEY_LIE)
    return found


def _within(present: datetime) -> Document:
    first, *_, last = weeks(present)
    return {"$gte": first, "$lt": last + WEEK}


def _week_of(name: str) -> Document:
    return {"$dateTrunc": {"date": f"${name}", "unit": "week", "startOfWeek": "monday"}}


def _totals(week_ago: datetime) -> Pipeline:
    """How many are active, how many of them are new, and who has the most."""
    is_new = {"$cond": [{"$gte": ["$created_at", week_ago]}, 1, 0]}
    ranked = {"name": "$_id", "postings": "$postings"}
    top = {"n": MOST_NAMES, "sortBy": {"postings": -1, "_id": 1}, "output": ranked}
    totals = {"active": {"$sum": "$postings"}, "new": {"$sum": "$new"}, "companies": {"$topN": top}}
    return [
        ACTIVE,
        {"$group": {"_id": "$company", "postings": {"$sum": 1}, "new": {"$sum": is_new}}},
        {"$group": {"_id": None, **totals}},
    ]


def _sources(present: datetime) -> Pipeline:
    """The sources that most active ones come from: how many, and how many were posted in each week."""
    recent = [{operator: ["$posted_date", moment]} for operator, moment in _within(present).items()]
    week = {"$cond": [{"$and": recent}, _week_of("posted_date"), None]}
    posted: Document = {"$sum": 1}
    active: Document = {"$sum": {"$cond": ["$is_active", 1, 0]}}
    of_week = {"week": "$_id.week", "posted": "$posted"}
    return [
        {"$match": {"source_platform": {"$gt": ""}}},
        {"$group": {"_id": {"source": "$source_platform", "week": week}, "posted": posted, "active": active}},
        {"$group": {"_id": "$_id.source", "postings": {"$sum": "$active"}, "weeks": {"$push": of_week}}},
        GREATEST_FIRST,
        {"$limit": MOST_SOURCES},
    ]


def _skills() -> Pipeline:
    return [
        ACTIVE,
        # Each counts once for a posting, however often that names it.
        {"$project": {"skill": {"$setUnion": ["$skills_required"]}}},
        {"$unwind": "$skill"},
        {"$group": {"_id": "$skill", "postings": {"$sum": 1}}},
        GREATEST_FIRST,
        {"$limit": MOST_NAMES},
    ]


def _by_week(totals: Sequence[Document], sources: Sequence[Document], present: datetime) -> list[Document]:
    posted = {week["_id"]: week["count"] for week in totals}
    of_source: dict[str, Weeks] = {
        source["_id"]: {week["week"]: week["posted"] for week in source["weeks"]} for source in sources
    }
    return [
        {
            "week": f"{week:%Y-%m-%d}",
            "postings": posted.get(week, 0),
            "by_source": [
                {"source_platform": name, "postings": counts.get(week, 0)}
                for name, counts in of_source.items()
            ],
        }
        for week in weeks(present)
    ]


def _applications_by_week(found: Sequence[Document], present: datetime) -> list[Document]:
    counts = {week["_id"]: week["count"] for week in found}
    return [{"week": f"{week:%Y-%m-%d}", "applications": counts.get(week, 0)} for week in weeks(present)]
