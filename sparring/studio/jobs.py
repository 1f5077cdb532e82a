"""Commands that the studio has started, which outlive a closed page but not the studio: they train and judge."""

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

TAIL = 16_000  # bytes of a command's output that are shown
INTERRUPTED = (130, -signal.SIGINT)  # exit statuses
DOING = {"train": "training", "evaluate": "judging"}


@dataclass(frozen=True)
class Order:
    """What is to be trained, as typed into the form.

    Attributes:
        data: a path or a set's name.
        out: the run's folder.
        recipe: a recipe's name; "" to choose by the data.
        steps, time, seed, device: as `sparring train` takes them; "" for what it would choose.
        fields: values for the recipe's fields, by name, as typed.
        resume: go on with the run in `out`.
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
        """The command: each thing typed is one argument, whatever is in it, and none can become an option."""
        options = {
            "out": str(self.out), "recipe": self.recipe, "steps": self.steps, "time": self.time, "seed": self.seed,
            "device": self.device,
        }  # fmt: skip
        given = [f"--{name}={value.strip()}" for name, value in options.items() if value.strip()]
        given += ["--resume"] if self.resume else []
        return ["train", *given, "--", self.data, *(f"{name}={value}" for name, value in self.fields.items())]


class Job:
    """A command that runs in the background, in a process group of its own.

    Args:
        words: of the command, after `sparring`.
        output: a file for what it prints.
    """

    def __init__(self, words: Sequence[str], output: Path) -> None:
        self.words, self.output, self.stopped = list(words), output, False
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sparring", *words], stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def state(self) -> str:
        """In a word: training, judging, stopping, stopped before there was anything to keep, done, or failed."""
        if self.running:
            return "stopping" if self.stopped else DOING[self.words[0]]
        if self.stopped and self.process.returncode in INTERRUPTED:
            return "stopped"
        return "failed" if self.process.returncode else "done"

    def stop(self) -> None:
        """Ctrl-C, once: the model is written, then the command ends."""
        if self.running and not self.stopped:
            self.stopped = True
            os.killpg(self.process.pid, signal.SIGINT)

    def said(self) -> str:
        """The end of what it has printed."""
        with self.output.open("rb") as file:
            file.seek(max(0, self.output.stat().st_size - TAIL))
            return file.read().decode(errors="replace")


class Jobs:
    """The commands that the studio has started, one to a run.

    Args:
        folder: for what they print.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs: dict[Path, Job] = {}
        self._lock = threading.Lock()
        self._closed = False

    def busy(self, run: Path) -> bool:
        """Whether a command is at work on a run."""
        job = self.of(run)
        return job is not None and job.running

    def start(self, run: Path, words: Sequence[str]) -> Job:
        """Start a command for a run.

        Raises:
            InputError: where one is at work on this run already, or the studio ends.
        """
        with self._lock:
            if self._closed:
                raise InputError(f"nothing is begun with {run.name} any more; the studio is ending")
            before = self._jobs.get(run.resolve())
            if before is not None and before.running:
                raise InputError(f"{run.name} is {before.state} already; wait for it, or stop it")
            self.folder.mkdir(parents=True, exist_ok=True)
            job = Job(words, self.folder / f"{len(self._jobs)}-{os.urandom(4).hex()}.txt")
            self._jobs[run.resolve()] = job
            return job

    def of(self, run: Path) -> Job | None:
        """The last command for a run, None where the studio has started none."""
        return self._jobs.get(run.resolve())

    @property
    def running(self) -> list[Job]:
        return [job for job in list(self._jobs.values()) if job.running]

    def close(self) -> None:
        """Stop all, and wait until their models are written. Interrupted, they end at once."""
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
