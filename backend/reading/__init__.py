"""How files become items: what job boards deliver on one side, what the bulk routes take on the other.

Knows of the app only what a document is made of, and nothing of HTTP."""

from backend.reading.columns import Columns
from backend.reading.fields import KINDS, Kind
from backend.reading.files import Form, Items, Vocabulary, open_items
from backend.reading.items import BROKEN_OFF, Fault, Item, Unreadable
from backend.reading.mapping import Mapping, read_mapping

__all__ = [
    "BROKEN_OFF",
    "KINDS",
    "Columns",
    "Fault",
    "Form",
    "Item",
    "Items",
    "Kind",
    "Mapping",
    "Unreadable",
    "Vocabulary",
    "open_items",
    "read_mapping",
]
