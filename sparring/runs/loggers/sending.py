"""`send(run, to)` sends the log of a run to a tracker, once or while it grows."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from sparring.errors import InputError, nearest
from sparring.files import write_json
from sparring.json_files import read_json
from sparring.metrics.results import read_numbers
from sparring.runs.folder import RunFolder, RunRecord
from sparring.runs.logbook import read_log
from sparring.runs.loggers.tracker import Tracker, facts

TRACKERS = ("mlflow", "tensorboard", "wandb")
POLLING_INTERVAL = 1.0  # seconds between looks at a log that grows
PROJECT = "sparring"


class Record(TypedDict):
    """What has been sent to a tracker.

    Attributes:
        id: of the run in the tracker.
        step: of the last line.
        sheet: name of the last sheet.
    """

    id: str
    step: int
    sheet: str


@dataclass(frozen=True)
class Sent:
    """What a look at a run has sent.

    Attributes:
        place: where a person finds it.
        lines, sheets: numbers of them.
        finished: True if the run has ended and its results were sent.
    """

    place: str
    lines: int
    sheets: int
    finished: bool


def send(run: str | Path, to: str, project: str = PROJECT) -> Sent:
    """Send what a run has logged since it was last sent.

    Args:
        run: the folder of a run, finished or not.
        to: one of `TRACKERS`. Where it is, and who you are, is set as for the tracker itself (`MLFLOW_TRACKING_URI`,
            `WANDB_API_KEY`, ...).
        project: that runs are collected in.

    Raises:
        InputError: if there is no run, the tracker is not installed, or it refuses the data.
    """
    (last,) = [*_looks(run, to, project, once=True)]
    return last


def follow(run: str | Path, to: str, project: str = PROJECT) -> Iterator[Sent]:
    """Send a run while it is trained, until it ends.

    Yields:
        What was sent, after each look that sent something.

    Raises:
        InputError: as `send` does.
    """
    yield from _looks(run, to, project, once=False)


def _looks(run: str | Path, to: str, project: str, once: bool) -> Iterator[Sent]:
    """Look at a run once, or until it has ended."""
    if to not in TRACKERS:
        raise InputError(f"--to {to} is unknown; {nearest(to, TRACKERS)}")
    folder = RunFolder(Path(run))
    if not folder.recipe.is_file():
        raise InputError(f"{run} is no run; give the folder of one that sparring train wrote")
    content = read_json(folder.recipe, RunRecord)
    known = _records(folder).get(to, Record(id="", step=-1, sheet=""))
    module = importlib.import_module(f"sparring.runs.loggers.{to}")
    tracker: Tracker = module.TRACKER(folder, facts(folder, content), project, known["id"])
    try:
        if tracker.id != known["id"]:  # a new run in the tracker
            known = Record(id=tracker.id, step=-1, sheet="")
            _record(folder, to, known)
        while True:
            ended = not folder.busy()  # before the log is read, so that its last lines are sent
            sent, known = _look(folder, tracker, known, ended)
            _record(folder, to, known)
            if once or ended or sent.lines or sent.sheets:
                yield sent
            if once or ended:
                return
            time.sleep(POLLING_INTERVAL)
    finally:
        tracker.close()


def _records(folder: RunFolder) -> dict[str, Record]:
    """What has been sent, by the names of trackers."""
    return read_json(folder.logged, dict[str, Record]) if folder.logged.is_file() else {}


def _record(folder: RunFolder, to: str, known: Record) -> None:
    """Record what has been sent to a tracker. Another process may send the run to another one."""
    if known["id"]:
        write_json(folder.logged, _records(folder) | {to: known})


def _look(folder: RunFolder, tracker: Tracker, known: Record, ended: bool) -> tuple[Sent, Record]:
    """Send what is new. After a rollback, steps that were sent before are not sent again."""
    lines = [line for line in read_log(folder.log) if line["step"] > known["step"]]
    sheets = [path for path in folder.sheets() if path.stem > known["sheet"]]
    if lines:
        tracker.lines(lines)
    for path in sheets:
        tracker.sheet(path, int(path.stem))
    finished = ended and (folder.model / "model.json").is_file()
    if finished:
        numbers = read_numbers(folder.evaluation) if folder.evaluation.is_file() else {}
        tracker.finish({name: number["value"] for name, number in numbers.items() if number["value"] is not None})
    step = int(lines[-1]["step"]) if lines else known["step"]
    latest = sheets[-1].stem if sheets else known["sheet"]
    return Sent(tracker.place, len(lines), len(sheets), finished), Record(id=known["id"], step=step, sheet=latest)
