"""The number of threads of a run on a CPU: one where other programs use the cores, or where the nets are too small to
gain from more.

Threads wait for one another many times in each step. If another program uses the core of one of them, all wait for it,
and steps may take many times as long as those of a single thread. The number of threads changes the rounding of sums:
each change is written down, and a resumed run changes it after the same steps.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import torch

from sparring.errors import InputError
from sparring.files import append_line, write_text
from sparring.json_files import read_lines

MIN_GAIN = 1.5  # of one thread, before it replaces all: less may be luck, and equal seeds are to give equal models
SLOWER = 1.5  # than the best pace, before threads are compared again
APART = 5.0  # seconds between comparisons, at least,
AGAIN = 60.0  # and at most while one thread is used, because the other program may have ended
SECONDS = 0.1  # of work for each number of threads in a comparison
LONG = 0.25  # seconds of the work, beyond which the nets are so large that threads seldom wait, and it is not compared
MAX_THREADS = 4096  # that a file may ask for
ENDLESS = 1e9


class Change(TypedDict):
    """A line of `threads.jsonl`.

    Attributes:
        step: after which the number of threads changed.
        threads: the new number.
        faster: how many times as fast it was.
    """

    step: int
    threads: int
    faster: float


class Threads:
    """Compares one thread with all from time to time, and uses the better number.

    Args:
        path: of the file of changes, which need not exist.
        work: what is timed. It must not affect the run.

    Attributes:
        changes: of this run until now.
    """

    def __init__(self, path: Path, work: Callable[[], object]) -> None:
        self.path, self.work = path, work
        self.all = self.now = torch.get_num_threads()
        self.changes: list[Change] = []
        self._ahead: list[Change] = []
        self._best, self._compared = ENDLESS, -ENDLESS

    @staticmethod
    def chosen() -> bool:
        """True if the user has not given their number, and there is one to be chosen."""
        return "OMP_NUM_THREADS" not in os.environ and torch.get_num_threads() > 1

    def restore(self, step: int) -> None:
        """Continue at a step, with the changes that were made until then; later ones are made again.

        Raises:
            InputError: if the file is damaged.
        """
        changes = read_lines(self.path, Change)
        self.changes = [each for each in changes if each["step"] <= step]
        self._ahead = [each for each in changes if each["step"] > step]
        if wrong := [each["threads"] for each in changes if not 1 <= each["threads"] <= MAX_THREADS]:
            raise InputError(f"{self.path} is damaged: a run cannot have had {wrong[0]} threads; remove it")
        self._use(self.changes[-1]["threads"] if self.changes else self.all)

    def back_to(self, step: int) -> None:
        """Continue at an earlier step, and forget the changes that were made after it."""
        self.restore(step)
        self._ahead = []
        if self.path.exists():
            write_text(self.path, "".join(f"{json.dumps(each)}\n" for each in self.changes))

    def follow(self, step: int) -> None:
        """Make again a change that was made after this step before the run was resumed."""
        if self._ahead and self._ahead[0]["step"] == step:
            change = self._ahead.pop(0)
            self.changes.append(change)
            self._use(change["threads"])

    def look(self, step: int, pace: float) -> str:
        """Compare, if it is time to, and change the number if another one is better. Returns a line for the user; "" if
        nothing has changed.

        Args:
            pace: recent seconds per step.
        """
        self._best = min(self._best, pace)
        since = time.monotonic() - self._compared
        few = self.now < self.all and since > AGAIN
        if self._ahead or not (few or ((pace > SLOWER * self._best or self._compared < 0) and since > APART)):
            return ""
        self._best = pace
        one, everything = self._compare()
        self._compared = time.monotonic()  # a comparison takes time
        better = 1 if everything > (MIN_GAIN if self.now > 1 else 1.0) * one else self.all
        if better == self.now:
            return ""
        faster = max(everything / one, one / everything)
        change = Change(step=step, threads=better, faster=round(faster, 2))
        append_line(self.path, json.dumps(change))
        self.changes.append(change)
        self._use(better)
        return f"threads {better} from step {step} on, which are {faster:.1f} times as fast as the {self._other} before"

    @property
    def _other(self) -> int:
        return self.all if self.now == 1 else 1

    def _use(self, number: int) -> None:
        self.now, self._best = number, ENDLESS
        torch.set_num_threads(number)

    def _compare(self) -> tuple[float, float]:
        """Seconds of the work with one thread, and with all, in turns; equal ones if it takes long."""
        self._time(self.now)  # the first call takes longer
        one, everything = 0.0, 0.0
        while min(one, everything) < SECONDS:
            everything += self._time(self.all)
            if everything > LONG and not one:
                one = everything
                break
            one += self._time(1)
        torch.set_num_threads(self.now)
        return one, everything

    def _time(self, number: int) -> float:
        torch.set_num_threads(number)
        began = time.monotonic()
        self.work()
        return time.monotonic() - began
