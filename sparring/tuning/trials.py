"""One run of a search: a process that trains, watched through its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sparring.errors import InputError
from sparring.model import load
from sparring.runs.folder import RunFolder
from sparring.runs.logbook import read_log
from sparring.tuning.settings import Settings

LOOK_EVERY = 0.5  # seconds between looks at the log
PATIENCE = 120.0  # seconds that a run may take to write its model after it was told to end
SCORE = "fid["  # how names of scores begin
OWNER = ".owner"  # suffix of the lock of whoever trains a trial
PERCENT = 100


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        metric: name of its score; "" if it has none.
        value: the score of its model; None if it was ended early, or has failed.
        pruned: True if it was ended early.
        why: of a run that has failed, the last line that it printed; "" otherwise.
    """

    metric: str = ""
    value: float | None = None
    pruned: bool = False
    why: str = ""


@contextmanager
def owned(folder: Path) -> Iterator[bool]:
    """True while this process alone may train a trial in a folder. A process that dies owns nothing any more."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(folder.name + OWNER))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def run(
    settings: Settings, fields: Sequence[str], folder: Path, seed: int, report: Callable[[int, float], bool]
) -> Ended:
    """Train in a process of its own, and end it early if it is told to.

    Args:
        fields: FIELD=VALUE of the searched fields.
        folder: of the run, which continues if it was begun.
        report: receives each score, with the part of the bound after which it was taken in percent; True ends the run.
    """
    output = folder.with_suffix(".txt")
    # Threads of runs that share the cores would wait for each other most of the time.
    threads = max(1, (os.cpu_count() or 1) // settings.workers)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)} if settings.workers > 1 else dict(os.environ)
    command = [sys.executable, "-m", "sparring", *settings.command(fields, str(folder), seed)]
    with output.open("ab") as printed:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, env=environment, start_new_session=True
        )
        try:
            pruned = _watched(process, settings, folder, report)
            process.wait()
        finally:
            _end(process)
    if pruned:
        return Ended(pruned=True)
    if process.returncode != 0:
        lines = output.read_text(errors="replace").strip().splitlines()
        return Ended(why=(lines or ["it printed nothing"])[-1])
    return _finished(folder)


def _watched(
    process: subprocess.Popen[bytes], settings: Settings, folder: Path, report: Callable[[int, float], bool]
) -> bool:
    """Report the scores of a run until it ends. True if it was ended early."""
    seen = 0
    while process.poll() is None:
        time.sleep(LOOK_EVERY)
        scores = list(_scores(folder, settings))
        for percent, value in scores[seen:]:
            if percent < PERCENT and report(percent, value):
                _end(process)
                return True
        seen = len(scores)
    return False


def _scores(folder: Path, settings: Settings) -> Iterator[tuple[int, float]]:
    """Scores of a run, with the part of its bound after which they were taken, in percent."""
    with suppress(InputError):  # a line is being written
        for line in read_log(RunFolder(folder).log):
            for name, value in line.items():
                if name.startswith(SCORE):
                    parts = [line["step"] / settings.steps] if settings.steps else []
                    parts += [line["seconds"] / settings.time] if settings.time else []
                    yield min(PERCENT, round(PERCENT * max(parts))), value


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a run as Ctrl-C does, so that it writes its model and its checkpoint."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _finished(folder: Path) -> Ended:
    """The score of a run that has written its model."""
    model = load(folder, trust=True)
    value = model.about["scores"].get("fid")
    if value is None:
        return Ended(why="its samples were not scored; give a longer --time, more --steps, or more data")
    return Ended(f"{SCORE}{model.modality.features_name}]", float(value))
