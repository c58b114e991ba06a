"""An HTTP client that knows how to make each kind of document, parents included."""

import json
from collections.abc import Iterable
from typing import Any

import httpx

from backend.tests import samples

Json = dict[str, Any]


class Client(httpx.AsyncClient):
    async def make(self, path: str, body: Json) -> Json:
        response = await self.post(path, json=body)
        assert response.status_code == 201, response.text
        made: Json = response.json()
        return made

    async def user(self, **changes: Any) -> Json:
        return await self.make("/users/", samples.user(**changes))

    async def job(self, **changes: Any) -> Json:
        return await self.make("/jobs/", samples.job(**changes))

    async def match(self, **changes: Any) -> Json:
        return await self.make("/job-matches/", samples.match(**await self._parents(changes)))

    async def search(self, **changes: Any) -> Json:
        user_id = changes.pop("user_id", None) or (await self.user())["id"]
        return await self.make("/saved-searches/", samples.search(user_id, **changes))

    async def interaction(self, **changes: Any) -> Json:
        return await self.make("/interactions/", samples.interaction(**await self._parents(changes)))

    async def run(self, **changes: Any) -> Json:
        return await self.make("/ingest-runs/", samples.run(**changes))

    async def bulk(
        self, path: str, items: Iterable[Any], *, as_lines: bool = False, key: str | None = None, **query: Any
    ) -> httpx.Response:
        """A bulk call: of an array, or of lines."""
        headers = {"Content-Type": "application/x-ndjson" if as_lines else "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        content = "\n".join(map(json.dumps, items)) if as_lines else json.dumps(list(items))
        return await self.post(f"{path}bulk", params=query, content=content.encode(), headers=headers)

    async def _parents(self, changes: Json) -> Json:
        if "user_id" not in changes:
            changes["user_id"] = (await self.user())["id"]
        if "job_id" not in changes:
            changes["job_id"] = (await self.job())["id"]
        return changes
