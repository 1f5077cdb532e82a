"""When a run ends: after so many steps, or so much time, whichever comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sparring.errors import InputError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MEASURED = (0.05, 0.2, 0.5, 0.7, 0.85)  # shares of the time after which the speed is measured again
MARGIN = 0.92  # share of the time that is planned for steps; the rest is for looking, saving, and to spare
ENDLESS = 10**12  # steps of a run whose length is not known yet


def seconds(text: str | float) -> float:
    """A duration such as 90, "90s", "10m" or "1h30m" in seconds.

    Raises:
        InputError: where it is none, or not above 0.
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
        steps: the most steps, or None.
        time: the most seconds of training, or None.
        kept: whether it is that of the run before, whose total it then goes on with.
        total: the number of steps that schedules stretch to; None until the speed is known where a
            time alone is given.
        settled: how often the speed has been measured for it.
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
        """Whether there is a bound at all."""
        return self.steps is not None or self.time is not None

    def settle(self, step: int, seconds: float, pace: float) -> None:
        """Turn the time into a number of steps, once the speed is known, and again when it is known better.

        Args:
            step, seconds: how much has been played.
            pace: seconds per step of late.
        """
        if self.time is None:
            return
        due = sum(seconds >= share * self.time for share in MEASURED)
        if due > self.settled:
            if self.settled:  # at first, what it took to begin counts too much
                pace = (seconds - self.since[1]) / (step - self.since[0])  # a later phase may be slower
            self.settled, self.since = due, (step, seconds)
            rest = max(0.0, MARGIN * self.time - seconds)
            self.total = step + max(1, int(rest / pace))
            if self.steps is not None:
                self.total = min(self.total, self.steps)

    def over(self, step: int, seconds: float) -> bool:
        late = self.time is not None and seconds >= self.time
        return late or step >= (self.total or self.steps or ENDLESS)
