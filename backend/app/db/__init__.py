"""The data layer. Scripts need two names of it: `mongo` and `ensure_indexes`."""

from backend.app.db import mongo
from backend.app.db.indexes import ensure_indexes

__all__ = ["ensure_indexes", "mongo"]
