"""The OpenAPI document: what FastAPI derives from the routes, and what holds for every operation."""

from backend.app.openapi.document import ABOUT, document

__all__ = ["ABOUT", "document"]
