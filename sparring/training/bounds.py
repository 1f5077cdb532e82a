"""When a run ends: after a number of steps or a time, whichever comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sparring.errors import InputError
from sparring.training.plan import ENDLESS, Plan

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
AIM = 0.985  # fraction of the time at which the model is to be written
PLAN_EVERY = 0.005  # fraction of the time after which the steps are planned again,
PLAN_EVERY_OF_REST = 0.1  # or of the rest of it, if that is less,
PLAN_CHANGE = 0.2  # or at once if the number of remaining steps has changed by this fraction
MIN_EXTENSION = 0.01  # fraction of the time for which a schedule that has come to its end is played on
MAX_FINISH = 0.15  # fraction of the time that is reserved for preparing the trained game, at most,
MAX_SCORE = 0.1  # and for a score: if it takes longer, samples are not scored


def seconds(text: str | float) -> float:
    """A duration such as 90, "90s", "10m" or "1h30m" in seconds.

    Raises:
        InputError: if it is not a duration, or not above 0.
    """
    parts = re.fullmatch(r"((?:\d+\.?\d*[smhd])+)|(\d+\.?\d*)", str(text).strip().lower())
    if parts is None:
        raise InputError(f"--time {str(text)!r} is not a duration; write it as 90s, 10m or 1h30m")
    found = re.findall(r"(\d+\.?\d*)([smhd]?)", parts.group())
    total = sum(float(number) * UNITS[unit or "s"] for number, unit in found)
    if total <= 0:
        raise InputError(f"--time {str(text)!r} must be above 0")
    return total


@dataclass
class Bound:
    """The end of a run.

    Attributes:
        steps: maximum number of steps, or None.
        time: maximum seconds until the model is written, or None.
        kept: True if a resumed run keeps the bound, and thus the plan, that it had before.
        reason: why there is a maximum number of steps that the user did not give; "" if the user did.
        plan: how progress rises from step to step.
        reserve: seconds that are needed after the last step.
        recorded: plans that a killed run made after its last checkpoint; the resumed run repeats them, so that these
            steps are played as they were.
        planned: seconds at the last plan.
    """

    steps: int | None
    time: float | None
    kept: bool = False
    reason: str = ""
    plan: Plan = Plan()
    reserve: float = 0.0
    recorded: list[Plan] = field(default_factory=list)
    planned: float = 0.0

    def __post_init__(self) -> None:
        if self.steps is not None and not 1 <= self.steps < ENDLESS:
            raise InputError(f"steps={self.steps} is out of range; it must be at least 1 and below {ENDLESS:,}")
        if self.steps is not None and self.time is None:
            self.plan = Plan(total=self.steps)

    @property
    def given(self) -> bool:
        """True if there is a bound."""
        return self.steps is not None or self.time is not None

    @property
    def total(self) -> int | None:
        """The last step, as planned; None if it is not known yet."""
        return None if self.plan.total >= ENDLESS else self.plan.total

    @property
    def end(self) -> float:
        """Seconds after which the last step is over, with a bound in time."""
        assert self.time is not None
        return AIM * self.time - self.reserve

    def resume(self, step: int, seconds: float) -> None:
        """Begin the plan of a new bound in time where a run stands."""
        if self.time is not None:
            played = [seconds / (AIM * self.time), step / self.steps if self.steps else 0.0]
            self.plan = Plan(step, min(1.0, max(played)))

    def replan(self, step: int, seconds: float, pace: float) -> bool:
        """Plan the remaining steps so that they end with the time. True if the plan has changed.

        Progress goes on from where it is: it neither jumps nor falls when the speed changes.

        Args:
            step, seconds: how much has been played.
            pace: recent seconds per step, with its share of scores and checkpoints.
        """
        if self.time is None:
            return False
        if self.recorded:
            if step == self.recorded[0].step:
                self.plan = self.recorded.pop(0)
            return False
        rest = max(0.0, self.end - seconds)
        remaining = round(rest / pace)
        if self.steps is not None:
            remaining = min(remaining, self.steps - step)
        if not self._due(step, seconds, rest, remaining):
            return False
        self.plan, self.planned = Plan(step, self.plan.at(step), step + max(0, remaining)), seconds
        return True

    def _due(self, step: int, seconds: float, rest: float, remaining: int) -> bool:
        assert self.time is not None
        before = self.plan.total - step
        if remaining == before:
            return False
        if before <= 0:
            return rest > MIN_EXTENSION * self.time
        changed = abs(remaining - before) > PLAN_CHANGE * before
        return changed or seconds - self.planned >= min(PLAN_EVERY * self.time, PLAN_EVERY_OF_REST * rest)

    def over(self, step: int) -> bool:
        """True after the last step."""
        return step >= self.plan.total
