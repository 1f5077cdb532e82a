"""When to save, log and stop: decided by time, on the first rank for all, every few steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparring.training.bounds import ENDLESS, Bound
from sparring.training.score import every

if TYPE_CHECKING:
    from lightning_fabric import Fabric


CHECK_SECONDS = 0.25  # between looks at the clock
LOG_SECONDS = 1.0  # between lines of the log, at first
LOG_LINES = 2000  # of a long run, about


@dataclass(frozen=True)
class Orders:
    """What is due after a step, the same on all ranks."""

    seconds: float
    total: int | None
    save: bool
    log: bool
    score: bool
    stop: bool
    next: int


class Clock:
    """Checks the time every few steps.

    Args:
        fabric: its first rank decides for all.
        batch: samples per step.
        save_every: seconds between checkpoints.
        step, seconds: how much has been played before.

    Attributes:
        next: the step after which the time is checked next.
        pace: recent seconds per step.
    """

    def __init__(self, fabric: Fabric, batch: int, save_every: float, step: int, seconds: float) -> None:
        self.fabric, self.batch, self.save_every = fabric, batch, save_every
        now = time.monotonic()
        self.began = now - seconds
        self.looked = self.logged = self.saved = now
        self.step, self.next = step, step + 1
        self.pace = 0.0

    def go_on(self) -> None:
        """Restart the measurement: time spent on a score or a checkpoint does not count as pace."""
        self.looked = time.monotonic()

    def look(self, step: int, bound: Bound, interrupted: bool) -> Orders:
        """What is due now. Turns a bound in time into steps once the speed is known."""
        now = time.monotonic()
        fresh = (now - self.looked) / (step - self.step)
        # The first check measures a single step, which includes warming up.
        self.pace = 0.7 * self.pace + 0.3 * fresh if 0 < self.pace < 4 * fresh else fresh
        self.looked, self.step = now, step
        seconds = now - self.began
        bound.settle(step, seconds, self.pace)
        save = now - self.saved >= self.save_every
        # Log before saving: numbers that are not finite must not be saved.
        over = interrupted or bound.over(step, seconds)
        apart = None if bound.total is None else every(bound.total, self.batch)
        score = apart is not None and step % apart == 0
        log = save or over or score or now - self.logged >= max(LOG_SECONDS, seconds / LOG_LINES)
        ahead = max(1, min(int(CHECK_SECONDS / self.pace), (bound.total or ENDLESS) - step))
        if apart is not None:
            ahead = min(ahead, apart - step % apart)
        orders = Orders(seconds, bound.total, save, log, score, interrupted, step + ahead)
        if self.fabric.world_size > 1:
            orders = self.fabric.broadcast(orders)
            bound.total = orders.total
        self.saved = now if save else self.saved
        self.logged = now if log else self.logged
        self.next = orders.next
        return orders
