"""Work on a model, one job after the other, in a thread of its own. Jobs that can share a batch do."""

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


class QueueFull(Exception):
    """The queue has reached its limit."""


class Dropped(Exception):
    """Nobody waits for this job any more."""


@dataclass(frozen=True)
class Draw:
    """Samples that a client requests; see `Model.sample`."""

    n: int
    request: Request
    seed: int
    truncation: float | None = None


@dataclass(eq=False)
class Job:
    """Work that a client waits for.

    Attributes:
        work: does the job on its own; it calls its argument now and then.
        draw: the samples that it generates, if other jobs may share its batch.
        future: of the result.
        dropped: True if the client no longer waits.
    """

    work: Callable[[Progress], Any]
    draw: Draw | None = None
    future: Future[Any] = field(default_factory=Future)
    dropped: bool = False

    def shares(self, other: Job) -> bool:
        """True if both jobs can share a batch."""
        if self.draw is None or other.draw is None:
            return False
        mine, theirs = self.draw, other.draw
        if mine.request.alone or theirs.request.alone:
            return False
        return (mine.truncation, mine.request.length) == (theirs.truncation, theirs.request.length)

    def progress(self, _done: int, _total: int) -> None:
        """End the work if nobody waits for it."""
        if self.dropped:
            raise Dropped


class Worker:
    """A queue of jobs, and the thread that does them.

    Args:
        name: of the thread.
        model: that generates the samples.
        limits: of the queue and of a batch.
        observe: receives the number of samples of each batch.
        active: returns the number of requests to the whole server that are not answered yet.
    """

    def __init__(
        self, name: str, model: Model, limits: Limits, observe: Callable[[int], None], active: Callable[[], int]
    ) -> None:
        self._model, self._limits, self._observe, self._active = model, limits, observe, active
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = True
        self._name = name

    def start(self) -> None:
        """Start the thread."""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Number of waiting jobs."""
        return len(self._waiting)

    def put(self, job: Job) -> None:
        """Add a job to the queue.

        Raises:
            QueueFull: if the queue is full, or the worker is closed.
        """
        with self._changed:
            if self._closed or len(self._waiting) >= self._limits.queue:
                raise QueueFull
            self._waiting.append(job)
            self._changed.notify()

    def drop(self, job: Job) -> None:
        """Cancel a job that nobody waits for."""
        with self._changed:
            job.dropped = True
            if job in self._waiting:
                self._waiting.remove(job)
                job.future.cancel()

    def close(self, seconds: float) -> None:
        """Stop after the job in progress, but wait no longer than this."""
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.future.cancel()
            self._waiting.clear()
            self._changed.notify()
        self._thread.join(seconds)

    def _run(self) -> None:
        while jobs := self._next_batch():
            running = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            try:
                together = len(running) > 1
                results = self._generate(running) if together else [job.work(job.progress) for job in running]
            except BaseException as error:  # every waiting client gets it
                for job in running:
                    job.future.set_exception(error)
            else:
                for job, result in zip(running, results, strict=True):
                    job.future.set_result(result)

    def _next_batch(self) -> list[Job]:
        """The next job, with others that can share its batch; [] if the worker is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return []
            jobs = [self._waiting.popleft()]
            if jobs[0].draw is None:
                return jobs
            room = self._limits.batch - jobs[0].draw.n
            deadline = time.monotonic() + self._limits.wait / 1000
            while room > 0:
                match = next((job for job in self._waiting if self._fits(job, jobs[0], room)), None)
                if match is not None and match.draw is not None:
                    self._waiting.remove(match)
                    jobs.append(match)
                    room -= match.draw.n
                elif self._nobody_to_wait_for(len(jobs)) or not self._changed.wait(max(0, deadline - time.monotonic())):
                    break
            return jobs

    def _nobody_to_wait_for(self, taken: int) -> bool:
        """True if no other request is active, or one that cannot join is already waiting."""
        return self._closed or bool(self._waiting) or self._active() <= taken

    def _fits(self, job: Job, first: Job, room: int) -> bool:
        return job.shares(first) and job.draw is not None and job.draw.n <= room

    def _generate(self, jobs: list[Job]) -> list[Samples]:
        """Samples of several requests from one batch: each from its own latents, as `Model.sample` draws them."""
        draws = [job.draw for job in jobs if job.draw is not None]
        model, truncation = self._model, draws[0].truncation
        latents = [model.latents(draw.n, draw.request, draw.seed, truncation) for draw in draws]
        conditions = [condition for _, condition in latents if condition is not None]
        z, condition = torch.cat([z for z, _ in latents]), torch.cat(conditions) if conditions else None
        generated = model.generate(z, condition, truncation)
        self._observe(tensors.length(generated))
        ends = list(accumulate(draw.n for draw in draws))
        parts = [tensors.take(generated, slice(end - draw.n, end)) for draw, end in zip(draws, ends, strict=True)]
        return [
            model.samples(draw.request, model.modality.decode(part), condition)
            for draw, part, (_, condition) in zip(draws, parts, latents, strict=True)
        ]
