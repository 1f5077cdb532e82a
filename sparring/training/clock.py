"""When to save, to log and to stop: by time, decided alike on all ranks, seldom looked at."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lightning_fabric import Fabric

from sparring.training.bounds import ENDLESS, Bound
from sparring.training.score import every

LOOK = 0.25  # seconds between looks
LOG = 1.0  # seconds between lines of the log at first
LINES = 2000  # lines of the log in all, about


@dataclass(frozen=True)
class Orders:
    """What is due after a step."""

    seconds: float
    total: int | None
    save: bool
    log: bool
    score: bool
    stop: bool
    next: int


class Clock:
    """Looks at the time every few steps.

    Args:
        fabric: whose first rank decides for all.
        batch: samples in a step.
        save_every: seconds between checkpoints.
        step, seconds: how much has been played before.

    Attributes:
        next: the step after which to look next.
        pace: seconds per step of late.
    """

    def __init__(self, fabric: Fabric, batch: int, save_every: float, step: int, seconds: float) -> None:
        self.fabric, self.batch, self.save_every = fabric, batch, save_every
        now = time.monotonic()
        self.began = now - seconds
        self.looked = self.logged = self.saved = now
        self.step, self.next = step, step + 1
        self.pace = 0.0

    def go_on(self) -> None:
        """The next step begins now: what was done since the look (a score, a checkpoint) is not its pace."""
        self.looked = time.monotonic()

    def look(self, step: int, bound: Bound, interrupted: bool) -> Orders:
        """What is due, and a bound in time turned into steps once the speed is known."""
        now = time.monotonic()
        fresh = (now - self.looked) / (step - self.step)
        # The first look is at one step, which has paid for warming up.
        self.pace = 0.7 * self.pace + 0.3 * fresh if 0 < self.pace < 4 * fresh else fresh
        self.looked, self.step = now, step
        seconds = now - self.began
        bound.settle(step, seconds, self.pace)
        save = now - self.saved >= self.save_every
        # What is saved is looked at first: a checkpoint of numbers that are no longer finite is none.
        over = interrupted or bound.over(step, seconds)
        apart = None if bound.total is None else every(bound.total, self.batch)
        score = apart is not None and step % apart == 0
        log = save or over or score or now - self.logged >= max(LOG, seconds / LINES)
        ahead = max(1, min(int(LOOK / self.pace), (bound.total or ENDLESS) - step))
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
