"""When a run ends: after a number of steps or a time, whichever comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sparring.errors import InputError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
REPLAN_AT = (0.05, 0.2, 0.5, 0.7, 0.85)  # fractions of the time at which the number of steps is planned again
STEP_SHARE = 0.92  # of the time that is planned for steps; the rest is for scores, checkpoints and as a reserve
ENDLESS = 10**12  # steps of a run whose length is not known yet


def seconds(text: str | float) -> float:
    """A duration such as 90, "90s", "10m" or "1h30m" in seconds.

    Raises:
        InputError: if it is not a duration, or not above 0.
    """
    parts = re.fullmatch(r"((?:\d+\.?\d*[smhd])+)|(\d+\.?\d*)", str(text).strip().lower())
    if parts is None:
        raise InputError(f"time {str(text)!r} is not a duration; write it as 90s, 10m or 1h30m")
    found = re.findall(r"(\d+\.?\d*)([smhd]?)", parts.group())
    total = sum(float(number) * UNITS[unit or "s"] for number, unit in found)
    if total <= 0:
        raise InputError(f"time {str(text)!r} must be above 0")
    return total


@dataclass
class Bound:
    """The end of a run.

    Attributes:
        steps: maximum number of steps, or None.
        time: maximum seconds of training, or None.
        kept: True if a resumed run keeps the bound, and thus the total, that it had before.
        total: number of steps that schedules stretch to; None until the speed is known, if only a time is given.
        settled: how often the total has been planned from the speed.
        since: step and seconds of the last time.
    """

    steps: int | None
    time: float | None
    kept: bool = False
    total: int | None = None
    settled: int = 0
    since: tuple[int, float] = (0, 0.0)

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise InputError(f"steps={self.steps} is out of range; it must be at least 1")
        if self.total is None:
            self.total = self.steps

    @property
    def given(self) -> bool:
        """True if there is a bound."""
        return self.steps is not None or self.time is not None

    def settle(self, step: int, seconds: float, pace: float) -> None:
        """Plan the number of steps from the time, once the speed is known, and again when it is known better.

        Args:
            step, seconds: how much has been played.
            pace: recent seconds per step.
        """
        if self.time is None:
            return
        due = sum(seconds >= share * self.time for share in REPLAN_AT)
        if due > self.settled:
            if self.settled:  # the first measurement is biased by warming up
                pace = (seconds - self.since[1]) / (step - self.since[0])  # phases differ in speed
            self.settled, self.since = due, (step, seconds)
            rest = max(0.0, STEP_SHARE * self.time - seconds)
            self.total = step + max(1, int(rest / pace))
            if self.steps is not None:
                self.total = min(self.total, self.steps)

    def over(self, step: int, seconds: float) -> bool:
        late = self.time is not None and seconds >= self.time
        return late or step >= (self.total or self.steps or ENDLESS)
