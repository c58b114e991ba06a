"""Where and with what it was measured."""

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("fastapi", "uvicorn", "motor", "pymongo", "pydantic", "eve", "gunicorn")


@dataclass(frozen=True)
class Machine:
    date: str
    cpu: str
    cores: int
    system: str
    python: str
    mongod: str
    packages: dict[str, str]


def describe(mongod: str) -> Machine:
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        cpu=cpu_model(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        mongod=mongod,
        packages=installed(PACKAGES),
    )


def installed(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def cpu_model() -> str:
    about = Path("/proc/cpuinfo")
    if about.exists():
        for line in about.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"
