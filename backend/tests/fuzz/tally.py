"""What Schemathesis did, added up from the events that it writes one a line."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class Tally:
    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.phases: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.checks: Counter[str] = Counter()
        self.sequences = 0
        self.failures = 0

    def add(self, events: Path) -> None:
        with events.open(encoding="utf-8") as lines:
            for line in lines:
                ((name, event),) = json.loads(line).items()
                if name == "ScenarioFinished":
                    self._add_scenario(event)

    def _add_scenario(self, event: Event) -> None:
        recorder = event["recorder"]
        cases = recorder.get("cases", {})
        if event["phase"] == "stateful":
            self.sequences += bool(cases)
        else:
            self.operations[recorder["label"]] += len(cases)
        self.phases[event["phase"]] += len(cases)
        for interaction in recorder.get("interactions", {}).values():
            self.statuses[interaction["response"]["status_code"] // 100] += 1
        for checks in recorder.get("checks", {}).values():
            self.checks.update(check["name"] for check in checks)
            self.failures += sum(check["status"] == "failure" for check in checks)

    def __str__(self) -> str:
        by_phase = ", ".join(f"{name} {number:,}" for name, number in self.phases.items())
        by_status = ", ".join(f"{kind}xx {number:,}" for kind, number in sorted(self.statuses.items()))
        return (
            f"operations  {len(self.operations)}\n"
            f"requests    {self.phases.total():,}: {by_phase} in {self.sequences} sequences\n"
            f"answers     {by_status}\n"
            f"checks      {self.checks.total():,} of {len(self.checks)} kinds\n"
            f"failures    {self.failures}"
        )
