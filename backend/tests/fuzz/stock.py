"""The documents that the examples of the OpenAPI document speak of, kept in the database all the while."""

from typing import Any

from pymongo import MongoClient

from backend.app.config import Settings
from backend.app.db.schema import ANSWERS, TABLE, Spec
from backend.app.main import create_app
from backend.app.models.base import REVISION

Json = dict[str, Any]


class Stock:
    def __init__(self) -> None:
        settings = Settings()
        schemas = create_app(settings).openapi()["components"]["schemas"]
        self.database = MongoClient[Json](settings.uri)[settings.prod_db]
        self.documents = {spec: document(spec, schemas[spec.model.__name__]) for spec in TABLE}
        self.sequence: object = None
        self.parents: dict[str, set[str]] = {}
        self.deleted: set[str] = set()

    def reset(self, sequence: object) -> None:
        """Keep nothing but the stock, once for each sequence of requests.

        Hypothesis gives up on a sequence that ends otherwise the second time.
        """
        if sequence is self.sequence:
            return
        self.sequence = sequence
        self.parents.clear()
        self.deleted.clear()
        for spec, document in self.documents.items():
            self.database[spec.name].delete_many({})
            self.database[spec.name].insert_one(document)
        self.database[ANSWERS.name].delete_many({})

    def refill(self) -> None:
        """Put back what a request before has changed or deleted, and forget what it was answered."""
        self.database[ANSWERS.name].delete_many({})
        for spec, document in self.documents.items():
            collection = self.database[spec.name]
            if collection.find_one({"_id": document["_id"]}) == document:
                continue
            taken = [{name: document[name] for name in key} for key in spec.unique]
            collection.delete_many({"$or": [{"_id": document["_id"]}, *taken]})
            collection.insert_one(document)

    def went_with_parent(self, key: str) -> bool:
        return not self.deleted.isdisjoint(self.parents.get(key, ()))


def document(spec: Spec, schema: Json) -> Json:
    (example,) = schema["examples"]
    stored = spec.model.model_validate(example).model_dump(exclude_none=True)
    return {"_id": stored.pop("id"), **stored, REVISION: 1}
