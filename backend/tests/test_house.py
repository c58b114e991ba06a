"""The house rules that a program can hold: which room may know which, and documents that follow the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import generated

APP = Path(__file__).parent.parent / "app"
# From the top down: a room may know those below it, and its own.
ROOMS = (
    ("main", "routers"),
    ("openapi", "envelope", "replies", "bulk", "home", "cors", "compression"),
    ("deps", "routing"),
    ("bodies", "idempotency"),
    ("db",),
    ("passwords", "syntax"),
    ("errors",),
    ("logs", "config", "models"),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
DRIVERS = {"motor", "pymongo"}
KNOW_THE_DRIVER = {"db"}


MODULES = sorted(APP.rglob("*.py"))
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(APP)))


def room(module: Path) -> str:
    return module.relative_to(APP).parts[0].removesuffix(".py")


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@each_module
def test_imports_go_one_way(module: Path) -> None:
    if room(module) == "__init__":
        return
    for name in imported(module):
        if name.startswith("backend.app."):
            assert LEVEL[room(module)] <= LEVEL[name.split(".")[2]], f"{module.name} imports {name}"


@each_module
def test_only_the_data_layer_knows_the_driver(module: Path) -> None:
    if room(module) not in KNOW_THE_DRIVER:
        assert not DRIVERS & {name.split(".")[0] for name in imported(module)}


def test_only_the_settings_read_the_environment() -> None:
    readers = [module.name for module in MODULES if "os.environ" in module.read_text(encoding="utf-8")]

    assert readers == []


def test_the_documents_that_follow_from_the_code_are_up_to_date() -> None:
    assert generated.outdated() == []
