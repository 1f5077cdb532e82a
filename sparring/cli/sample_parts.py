"""Samples that several processes draw: `sparring sample --worker`, `--ranks`, torchrun and Slurm."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from sparring.console import Screen, say
from sparring.data.store import Progress
from sparring.errors import InputError

if TYPE_CHECKING:
    from sparring.modalities.samples import Marking
    from sparring.training.launcher import Launcher
    from sparring.use.parts import Parts, Worker

LOOK_EVERY = 0.5  # seconds between looks at what the processes have drawn


def worker_of(worker: str, ranks: int, force: bool, launcher: Launcher) -> Worker | None:
    """The worker that this process is, of those that the user or a launcher has started; None if it draws all samples
    at once.

    Args:
        worker: as it is typed, such as 3/16; "" if it is not.
        ranks: processes that share the work of this one.

    Raises:
        InputError: if options contradict each other.
    """
    from sparring.use.parts import Worker

    if ranks < 1:
        raise InputError(f"ranks={ranks} cannot run here; give at least 1")
    if launcher.several and (worker or ranks > 1):
        raise InputError(
            f"{launcher.name} has started the processes ({launcher.ranks}); leave --worker and --ranks out"
        )
    if not (worker or ranks > 1 or launcher.several):
        return None
    if force:
        raise InputError("--force was given, but other workers may have written to OUT; remove it, or choose another")
    return Worker(launcher.rank + 1, launcher.ranks) if launcher.several else Worker.parse(worker or "1/1")


def draw(parts: Parts, worker: Worker, ranks: int, mark: Marking | None, command: Sequence[str]) -> None:
    """Draw the parts of a worker, and say what is there then.

    Args:
        ranks: processes that share its work.
        command: arguments of `sparring` for one of them, without its `--worker`.
    """
    parts.begin()
    with Screen().progress(f"drawing {parts.model.modality.words.items}") as progress:
        if ranks == 1:
            parts.draw(worker, mark, progress)
        else:
            _draw_by_ranks(parts, list(worker.split(ranks)), command, progress)
    now = parts.update()
    there, missing = len(now["there"]), len(now["missing"])
    words = parts.model.modality.words.items
    if missing:
        say(f"{there} of {there + missing} parts of {parts.n} {words} in {parts.out}; other workers draw the rest")
    else:
        say(f"{parts.n} {words} in {there} parts in {parts.out}")


def _draw_by_ranks(parts: Parts, workers: Sequence[Worker], command: Sequence[str], progress: Progress) -> None:
    with ExitStack() as stack:
        errors = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in workers]
        started = [_start(worker, command, file) for worker, file in zip(workers, errors, strict=True)]
        try:
            while None in (statuses := [process.poll() for process in started]) and not any(statuses):
                time.sleep(LOOK_EVERY)
                progress(len(parts.update()["there"]), parts.count)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()
        for worker, status, file in zip(workers, statuses, errors, strict=True):
            if status:  # those that are terminated had none
                file.seek(0)
                said = file.read().strip().splitlines()
                why = said[0].removeprefix("sparring: ") if said else "it was killed"
                raise InputError(f"worker {worker} has failed: {why}; the same command draws what is missing")


def _start(worker: Worker, command: Sequence[str], errors: IO[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sparring", *command, "--worker", str(worker)],
        stdout=subprocess.DEVNULL, stderr=errors, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
