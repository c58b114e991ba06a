"""How much memory the processes of a server take: what the kernel counts as resident, and the most it was."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

PROC = Path("/proc")
MIB = 1024
"""In kB, as the kernel writes it."""
EVERY = 0.25
# What makes the kernel count VmHWM, the most that was resident, from now on.
COUNT_ANEW = "5"


class ProcessLost(RuntimeError):
    """A process of the server ended while it was watched."""


@dataclass
class Resident:
    name: str
    now: list[float] = field(default_factory=list)
    """In MiB, time and again."""
    most: float = 0.0
    """As the kernel has it, which misses nothing."""


def family(pid: int) -> list[int]:
    """The process and all that come from it."""
    found = [pid]
    for parent in found:
        for thread in (PROC / str(parent) / "task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


@contextmanager
def watched(pid: int) -> Iterator[list[Resident]]:
    """Watch the processes until the block ends; then it is known how much they took."""
    pids = family(pid)
    names = naming(pids)
    found = {each: Resident(names[each]) for each in pids}
    for each in pids:
        (PROC / str(each) / "clear_refs").write_text(COUNT_ANEW)
    over = Event()
    watcher = Thread(target=keep_watching, args=[found, over])
    watcher.start()
    try:
        yield list(found.values())
    finally:
        over.set()
        watcher.join()
    for each, resident in found.items():
        resident.most = status(each)["VmHWM"]
    if set(family(pid)) != set(pids):
        raise ProcessLost("a worker ended, and another took its place")


def naming(pids: list[int]) -> dict[int, str]:
    names = {pids[0]: "supervisor"}
    workers = 0
    for pid in pids[1:]:
        if b"resource_tracker" in (PROC / str(pid) / "cmdline").read_bytes():
            names[pid] = "tracker"
        else:
            workers += 1
            names[pid] = f"worker {workers}"
    return names


def keep_watching(found: dict[int, Resident], over: Event) -> None:
    # Who watched is told when all is over.
    with suppress(ProcessLost):
        while True:
            for pid, resident in found.items():
                resident.now.append(status(pid)["VmRSS"])
            if over.wait(EVERY):
                return


def status(pid: int) -> dict[str, float]:
    """The sizes in a process's status, in MiB."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLost(f"process {pid} ended") from None
    fields = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) / MIB for name, size, _ in fields}
