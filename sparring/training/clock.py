"""When to save, log and stop: decided by time, on the first rank for all, every few steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparring.training.bounds import Bound
from sparring.training.plan import ENDLESS, Plan
from sparring.training.score import every

if TYPE_CHECKING:
    from lightning_fabric import Fabric


CHECK_SECONDS = 0.25  # between looks at the clock
LOG_SECONDS = 1.0  # between lines of the log, at first
LOG_LINES = 2000  # of a long run, about
USUAL_SHARE = 0.1  # of the time, over which a single long score or checkpoint is spread
REHEARSAL = 0.25  # fraction of the time after which what follows the last step is rehearsed


@dataclass(frozen=True)
class Orders:
    """What is due after a step, the same on all ranks."""

    seconds: float
    plan: Plan
    replanned: bool
    save: bool
    log: bool
    score: bool
    rehearse: bool
    stop: bool
    next: int


class Clock:
    """Checks the time every few steps.

    Args:
        fabric: its first rank decides for all.
        batch: samples per step.
        save_every: seconds between checkpoints.
        step, seconds: how much has been played before.
        scored: the step of the last score.

    Attributes:
        next: the step after which the time is checked next.
        pace: recent seconds per step, without scores and checkpoints.
    """

    def __init__(
        self, fabric: Fabric, batch: int, save_every: float, step: int, seconds: float, scored: int = 0
    ) -> None:
        self.fabric, self.batch, self.save_every = fabric, batch, save_every
        now = time.monotonic()
        self.began = now - seconds
        self.looked = self.logged = self.saved = now
        self.step, self.next, self.scored = step, step + 1, scored
        self.pace = 0.0
        self.rehearsed = False
        self._begun, self._between = seconds, 0.0  # seconds before, and spent on other things than steps

    @property
    def seconds(self) -> float:
        """Seconds of training until now."""
        return time.monotonic() - self.began

    def go_on(self) -> None:
        """Restart the measurement: time spent on a score or a checkpoint does not count as pace."""
        now = time.monotonic()
        self._between += now - self.looked
        self.looked = now

    def back_to(self, step: int) -> None:
        """Continue at an earlier step; the time goes on."""
        self.step, self.next, self.scored = step, step + 1, min(self.scored, step)
        self.looked = time.monotonic()

    def look(self, step: int, bound: Bound, interrupted: bool) -> Orders:
        """What is due now. A bound in time becomes a number of steps, again and again."""
        now = time.monotonic()
        fresh = (now - self.looked) / (step - self.step)
        # The first check measures a single step, which includes warming up.
        self.pace = 0.7 * self.pace + 0.3 * fresh if 0 < self.pace < 4 * fresh else fresh
        self.looked, self.step = now, step
        seconds = now - self.began
        replanned = bound.replan(step, seconds, self._whole_pace(seconds, bound))
        over = interrupted or bound.over(step)
        score, to_score = self._score(step, seconds, bound)
        rehearse = bound.time is not None and not self.rehearsed and seconds >= REHEARSAL * bound.end and not over
        save = rehearse or now - self.saved >= self.save_every
        # Log before saving: numbers that are not finite must not be saved.
        log = save or over or score or now - self.logged >= max(LOG_SECONDS, seconds / LOG_LINES)
        ahead = max(1, min(int(CHECK_SECONDS / self.pace), bound.plan.total - step, to_score))
        if bound.recorded:
            ahead = min(ahead, bound.recorded[0].step - step)
        orders = Orders(seconds, bound.plan, replanned, save, log, score, rehearse, interrupted, step + ahead)
        if self.fabric.world_size > 1:
            orders = self.fabric.broadcast(orders)
            bound.plan = orders.plan
        self.saved = now if orders.save else self.saved
        self.logged = now if orders.log else self.logged
        self.scored = step if orders.score else self.scored
        self.rehearsed = self.rehearsed or orders.rehearse
        self.next = orders.next
        return orders

    def _whole_pace(self, seconds: float, bound: Bound) -> float:
        """Seconds per step with its share of scores and checkpoints."""
        if bound.time is None:
            return self.pace
        share = self._between / (seconds - self._begun + USUAL_SHARE * bound.time)
        return self.pace / (1 - min(share, 1 - USUAL_SHARE))

    def _score(self, step: int, seconds: float, bound: Bound) -> tuple[bool, int]:
        """Whether a score is due, and in how many steps the next one is.

        With a bound in steps alone, it depends on the step alone: runs with the same seed choose the same weights.
        """
        if bound.total is None:
            return False, ENDLESS
        apart = every(bound.total, self.batch)
        since = step % apart if bound.time is None else step - self.scored
        due = since == 0 if bound.time is None else since >= apart
        left = apart if due or since >= apart else apart - since
        affordable = bound.time is None or seconds + bound.reserve < bound.end  # the last weights are scored anyway
        return due and affordable, left
