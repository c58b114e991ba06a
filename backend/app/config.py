"""Every setting, with its default: the only reader of the environment."""

import re
from typing import Annotated, Literal

from annotated_types import Ge, Gt
from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
ANY_ORIGIN = "*"
IMPLIED_PORTS = {"http": ":80", "https": ":443"}


def origins(listed: object) -> object:
    """The origins in a list with commas, as browsers send them."""
    if not isinstance(listed, str):
        return listed
    found = tuple(filter(None, (origin(part.strip()) for part in listed.split(","))))
    if ANY_ORIGIN in found and len(found) > 1:
        raise ValueError("* stands for every origin, and by itself")
    return found


def origin(written: str) -> str:
    found = written.lower()
    if found not in ("", ANY_ORIGIN) and not ORIGIN.fullmatch(found):
        raise ValueError(f"{written} is no origin: scheme://host or scheme://host:port, and nothing after it")
    return found.removesuffix(IMPLIED_PORTS.get(found.partition(":")[0], ""))


class Settings(BaseSettings):
    """Read from the environment, then from a `.env` file in the working directory."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", use_attribute_docstrings=True, frozen=True
    )

    mongodb_uri: str | None = None
    """The MongoDB to use, a replica set. When it is not set, `aijobhunt serve` starts one of its own."""
    prod_db: str = "aijobhunt_db"
    """The database of the app."""
    test_db: str = "aijobhunt_db_test"
    """The database of tests, and of scripts that name none."""
    mongo_driver: Literal["motor", "pymongo"] = "motor"
    """The driver: Motor, or PyMongo's own asyncio API."""
    mongo_pool_size: Annotated[int, Ge(1)] = 100
    """Connections to MongoDB that one worker may hold."""
    data_dir: str = "data/mongodb"
    """Where the embedded MongoDB keeps its data."""
    request_deadline: Annotated[float, Gt(0)] = 5.0
    """Seconds that a request may take before it is answered with 503 or 504."""
    bulk_deadline: Annotated[float, Gt(0)] = 60.0
    """Seconds that one step of a bulk call or an export may take: each batch, each wait for the client."""
    max_body_bytes: Annotated[int, Ge(1024)] = 1024 * 1024
    """The largest request body for one document, and the longest line of a bulk call."""
    max_bulk_bytes: Annotated[int, Ge(1024)] = 64 * 1024 * 1024
    """The largest JSON array of a bulk call."""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(origins)] = ()
    """Origins whose pages may use the service: `https://a.example,http://localhost:3000`; any if `*`."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""

    @property
    def uri(self) -> str:
        return self.mongodb_uri or "mongodb://127.0.0.1:27017/?directConnection=true"
