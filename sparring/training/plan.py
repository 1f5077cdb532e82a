"""The plan of a run: how its progress, which schedules follow, rises from step to step."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from sparring.files import append_line, write_text
from sparring.json_files import read_lines

ENDLESS = 10**12  # steps of a run whose length is not known yet


@dataclass(frozen=True)
class Plan:
    """From `step` on, progress rises linearly from `progress` to 1 at step `total`.

    Attributes:
        step: where the plan begins.
        progress: at that step, in [0, 1].
        total: the last step of the run, as planned; `ENDLESS` if it is not known.
    """

    step: int = 0
    progress: float = 0.0
    total: int = ENDLESS

    def at(self, step: int) -> float:
        """Progress of the run at a step."""
        if self.total <= self.step:
            return self.progress
        return min(1.0, self.progress + (1 - self.progress) * ((step - self.step) / (self.total - self.step)))

    def step_at(self, progress: float) -> int:
        """The step at which the run reaches a progress; the plan's first one if that has been reached before."""
        if progress <= self.progress:
            return self.step
        return self.step + round((progress - self.progress) / (1 - self.progress) * (self.total - self.step))


class PlanRecord(TypedDict):
    """A plan as JSON."""

    step: int
    progress: float
    total: int


class Entry(PlanRecord):
    """A line of the file."""

    seconds: float  # of training when the plan was made


class PlanFile:
    """The plans of a run with a bound in time, a JSON object a line, each from the step at which it was made.

    Args:
        path: of the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, plan: Plan, seconds: float) -> None:
        append_line(self.path, json.dumps(asdict(plan) | {"seconds": round(seconds, 2)}))

    def after(self, step: int) -> list[Plan]:
        """The plans that were made after a step, in order.

        Raises:
            InputError: if the file is damaged.
        """
        return [plan for plan, _ in self._read() if plan.step > step]

    def forget(self, step: int) -> None:
        """Remove the plans that were made after a step."""
        kept = [entry for plan, entry in self._read() if plan.step <= step]
        if self.path.exists():
            write_text(self.path, "".join(f"{json.dumps(entry)}\n" for entry in kept))

    def _read(self) -> list[tuple[Plan, Entry]]:
        """Plans and their entries."""
        entries = read_lines(self.path, Entry)
        return [(Plan(entry["step"], entry["progress"], entry["total"]), entry) for entry in entries]
