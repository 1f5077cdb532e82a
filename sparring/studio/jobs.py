"""Commands that the studio starts to train and to evaluate. They outlive a closed page, but not the studio."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sparring.errors import InputError
from sparring.files import resolved

MAX_OUTPUT = 16_000  # bytes at the end of a command's output that are shown
INTERRUPTED = (130, 143, -signal.SIGINT, -signal.SIGTERM)  # exit statuses
STATES = {"train": "training", "evaluate": "evaluating"}  # by command


@dataclass(frozen=True)
class TrainCommand:
    """A training, as entered in the form.

    Attributes:
        data: a path, or the name of a data set.
        out: the run's folder.
        recipe: its name; "" to choose it by the data.
        steps, time, seed, device: as for `sparring train`; "" for its defaults.
        fields: values of the recipe's fields, as text.
        resume: continue the run in `out`.
    """

    data: str
    out: Path
    recipe: str = ""
    steps: str = ""
    time: str = ""
    seed: str = ""
    device: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    resume: bool = False

    def words(self) -> list[str]:
        """The arguments of `sparring`. Each text from the form is one argument, and none can become an option."""
        options = {
            "out": str(self.out), "recipe": self.recipe, "steps": self.steps, "time": self.time, "seed": self.seed,
            "device": self.device,
        }  # fmt: skip
        given = [f"--{name}={value.strip()}" for name, value in options.items() if value.strip()]
        given += ["--resume"] if self.resume else []
        return ["train", *given, "--", self.data, *(f"{name}={value}" for name, value in self.fields.items())]


class Job:
    """A command that runs in the background, in its own process group.

    Args:
        words: arguments of `sparring`.
        file: receives its output.
    """

    def __init__(self, words: Sequence[str], file: Path) -> None:
        self.words, self.file, self.stopped = list(words), file, False
        with file.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sparring", *words], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def state(self) -> str:
        """training, evaluating, stopping, done, failed, or stopped: interrupted before there was a model to write."""
        if self.running:
            return "stopping" if self.stopped else STATES[self.words[0]]
        if self.stopped and self.process.returncode in INTERRUPTED:
            return "stopped"
        return "failed" if self.process.returncode else "done"

    def stop(self) -> None:
        """Stop the command once: a training writes its model and ends.

        By SIGTERM, which training takes as it takes Ctrl-C. While Python starts, SIGINT may be lost in an import.
        """
        if self.running and not self.stopped:
            self.stopped = True
            os.killpg(self.process.pid, signal.SIGTERM)

    def output(self) -> str:
        """The end of what it has printed."""
        with self.file.open("rb") as file:
            file.seek(max(0, self.file.stat().st_size - MAX_OUTPUT))
            return file.read().decode(errors="replace")


class Jobs:
    """The commands that the studio has started; at most one runs for each run.

    Args:
        folder: for their output.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs: dict[Path, Job] = {}
        self._lock = threading.Lock()
        self._closed = False

    def busy(self, run: Path) -> bool:
        """True if a command of the studio is working on a run."""
        job = self.last(run)
        return job is not None and job.running

    def start(self, run: Path, words: Sequence[str]) -> Job:
        """Start a command for a run.

        Raises:
            InputError: if one is already running for it, or the studio is ending.
        """
        with self._lock:
            if self._closed:
                raise InputError(f"nothing can be started for {run.name}; the studio is ending")
            before = self._jobs.get(resolved(run))
            if before is not None and before.running:
                raise InputError(f"{run.name} is already {before.state}; wait for it, or stop it")
            self.folder.mkdir(parents=True, exist_ok=True)
            job = Job(words, self.folder / f"{len(self._jobs)}-{os.urandom(4).hex()}.txt")
            self._jobs[resolved(run)] = job
            return job

    def last(self, run: Path) -> Job | None:
        """The last command for a run; None if the studio has started none."""
        return self._jobs.get(resolved(run))

    @property
    def running(self) -> list[Job]:
        return [job for job in list(self._jobs.values()) if job.running]

    def close(self) -> None:
        """Stop all commands and wait until their models are written. If this is interrupted, end them at once."""
        with self._lock:
            self._closed = True
            jobs = self.running
        for job in jobs:
            job.stop()
        try:
            for job in jobs:
                job.process.wait()
        except KeyboardInterrupt:
            for job in jobs:
                if job.running:
                    os.killpg(job.process.pid, signal.SIGKILL)
            raise
