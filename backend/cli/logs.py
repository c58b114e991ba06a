"""What `serve` logs. Workers import this before they can be stopped in order: it has to be quick."""

import logging
from typing import Any

from backend.app import logs

PROBES = ("/livez", "/readyz", "/health")


class NoProbes(logging.Filter):
    """What asks every other second whether the app is well would drown the requests that matter."""

    def filter(self, record: logging.LogRecord) -> bool:
        path: Any = record.args[2] if isinstance(record.args, tuple) else ""
        return path not in PROBES


def config(level: str) -> dict[str, Any]:
    made = logs.config(level)
    made["filters"]["no_probes"] = {"()": NoProbes}
    made["loggers"] |= {
        "uvicorn.access": {"filters": ["no_probes"]},
        "watchfiles": {"level": "WARNING"},
    }
    return made
