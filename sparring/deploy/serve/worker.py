"""Work on a model, one thing after the other, in a thread of its own; what can share a pass of G does."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch

from sparring.data import tensors
from sparring.data.store import Progress
from sparring.deploy.serve.limits import Limits
from sparring.modalities import Request, Samples
from sparring.model import Model


class Full(Exception):
    """As many wait as may."""


class Dropped(Exception):
    """Nobody waits for this work any more."""


@dataclass(frozen=True)
class Draw:
    """Samples that somebody wants; see `Model.sample`."""

    n: int
    request: Request
    seed: int
    truncation: float | None = None


@dataclass(eq=False)
class Job:
    """Work that somebody waits for.

    Attributes:
        work: what is done where it is done alone; it calls what it is given now and then.
        draw: the samples that it makes, where these may be made in one pass with others.
        future: of what comes of it.
        dropped: whether it is still waited for.
    """

    work: Callable[[Progress], Any]
    draw: Draw | None = None
    future: Future[Any] = field(default_factory=Future)
    dropped: bool = False

    def shares(self, other: Job) -> bool:
        """Whether both can be done in one pass."""
        if self.draw is None or other.draw is None:
            return False
        mine, theirs = self.draw, other.draw
        return (mine.truncation, mine.request.length) == (theirs.truncation, theirs.request.length)

    def progress(self, _done: int, _of: int) -> None:
        """End the work where nobody waits for it."""
        if self.dropped:
            raise Dropped


class Worker:
    """A queue of jobs, and the thread that does them.

    Args:
        name: of the thread.
        model: that samples are drawn of.
        limits: of the queue and of a pass.
        noted: told how many samples each pass makes.
        active: how many requests there are, of any kind, that are not answered yet.
    """

    def __init__(
        self, name: str, model: Model, limits: Limits, noted: Callable[[int], None], active: Callable[[], int]
    ) -> None:
        self._model, self._limits, self._noted, self._active = model, limits, noted, active
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = True
        self._name = name

    def start(self) -> None:
        """Begin to work."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, job: Job) -> None:
        """Have a job done.

        Raises:
            Full: where too many wait already, or nobody works.
        """
        with self._changed:
            if self._closed or len(self._waiting) >= self._limits.queue:
                raise Full
            self._waiting.append(job)
            self._changed.notify()

    def drop(self, job: Job) -> None:
        """Nobody waits for a job any more."""
        with self._changed:
            job.dropped = True
            if job in self._waiting:
                self._waiting.remove(job)
                job.future.cancel()

    def close(self, seconds: float) -> None:
        """End once what is being done is done, or after so many seconds."""
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.future.cancel()
            self._waiting.clear()
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while jobs := self._taken():
            going = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            try:
                results = self._together(going) if len(going) > 1 else [job.work(job.progress) for job in going]
            except BaseException as error:  # whoever waits has to know
                for job in going:
                    job.future.set_exception(error)
            else:
                for job, result in zip(going, results, strict=True):
                    job.future.set_result(result)

    def _taken(self) -> list[Job]:
        """The next job, with others that can share its pass; none where there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return []
            jobs = [self._waiting.popleft()]
            if jobs[0].draw is None:
                return jobs
            room = self._limits.batch - jobs[0].draw.n
            until = time.monotonic() + self._limits.wait / 1000
            while room > 0:
                found = next((job for job in self._waiting if self._fits(job, jobs[0], room)), None)
                if found is not None and found.draw is not None:
                    self._waiting.remove(found)
                    jobs.append(found)
                    room -= found.draw.n
                elif self._alone(len(jobs)) or not self._changed.wait(max(0.0, until - time.monotonic())):
                    break
            return jobs

    def _alone(self, taken: int) -> bool:
        """Whether nobody is waited for: there is no other request, or one that cannot join waits already."""
        return self._closed or bool(self._waiting) or self._active() <= taken

    def _fits(self, job: Job, first: Job, room: int) -> bool:
        return job.shares(first) and job.draw is not None and job.draw.n <= room

    def _together(self, jobs: list[Job]) -> list[Samples]:
        """Samples of several requests from one pass: each of its own latents, as `Model.sample` draws them."""
        draws = [job.draw for job in jobs if job.draw is not None]
        model, truncation = self._model, draws[0].truncation
        latents = [model.latents(draw.n, draw.request, draw.seed, truncation) for draw in draws]
        labels = [label for _, label in latents if label is not None]
        made = model.generate(torch.cat([z for z, _ in latents]), torch.cat(labels) if labels else None, truncation)
        self._noted(tensors.length(made))
        ends = list(accumulate(draw.n for draw in draws))
        parts = [tensors.take(made, slice(end - draw.n, end)) for draw, end in zip(draws, ends, strict=True)]
        chosen = [label.cpu().numpy() for label in labels] if model.modality.classes else [None] * len(draws)
        return [
            Samples(model.modality.decode(part), label, model.modality)
            for part, label in zip(parts, chosen, strict=True)
        ]
