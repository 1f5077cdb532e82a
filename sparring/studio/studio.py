"""What all tabs of the page share."""

from __future__ import annotations

import functools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.runs.folder import RunFolder
from sparring.studio.jobs import Jobs
from sparring.studio.models import Models
from sparring.studio.run_index import Card, Shelf

SWEPT, OLD = 3600, 24 * 3600  # seconds between looks at files that were handed out, and how old they become

F = TypeVar("F", bound=Callable[..., Any])


class Studio:
    """The runs, the trainings and the loaded models of one studio. What one user does is in the page's states.

    Args:
        places: folders of runs, or runs.
        device: that models run on.
        folder: for what is uploaded, printed and handed out; gone when the studio ends.

    Attributes:
        run: the component that holds the name of the run which is looked at.
        made: the state that changes with that run's model: its name, and when it was written.
    """

    run: gr.Dropdown
    made: gr.State

    def __init__(self, places: Sequence[Path], device: str, folder: Path) -> None:
        self.shelf, self.models = Shelf(places), Models(device)
        self.jobs = Jobs(folder / "printed")
        self.ordering = threading.Lock()  # while a new run's folder is chosen and begun
        self.device = device
        self.files = folder / "files"  # that are handed out
        self.files.mkdir()
        self._swept = time.time()

    def place(self, name: str) -> Path:
        """A path of a file that is to be handed out under a name, in a folder of its own. Those of yesterday go."""
        now = time.time()
        if now - self._swept > SWEPT:
            self._swept = now
            for old in self.files.iterdir():
                if now - old.stat().st_mtime > OLD:
                    shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self.files)) / name

    def kind(self, name: str | None) -> str:
        """Of what a run's model makes; "" where it has none yet."""
        path = self.shelf.paths().get(name or "")
        card = None if path is None else self.shelf.card(name or "", path)
        return card.kind if card is not None and card.ready else ""

    def stamp(self, name: str | None) -> str:
        """Which run's model there is, and when it was written; it is another where one of them is."""
        path = self.shelf.paths().get(name or "")
        model = None if path is None else RunFolder(path).model / "model.json"
        return f"{name} {model.stat().st_mtime_ns}" if model is not None and model.is_file() else f"{name}"

    def modality(self, name: str | None) -> Modality | None:
        """What a run's model makes; None where there is no such run or it has no model yet."""
        try:
            return self.models.modality(self.shelf.path(name))
        except InputError:
            return None

    def chosen(self, preferred: str | None) -> tuple[list[str], str | None]:
        """The names to choose from, and the one that is chosen: the last that was written to unless another is."""
        names = list(self.shelf.paths())
        return names, preferred if preferred in names else next(iter(names), None)

    def states(self, cards: Sequence[Card]) -> dict[str, str]:
        """What commands are doing with runs, by the runs' names; "" where none is."""
        found = {}
        for card in cards:
            job = self.jobs.of(card.path)
            found[card.name] = job.state if job and job.running else "training" if card.trains() else ""
        return found


def told(function: F) -> F:
    """A handler whose input errors are shown on the page, in their one line."""

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except InputError as error:
            raise gr.Error(str(error), title="That does not work", print_exception=False) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            why = f"{where}{(error.strerror or str(error)).lower()}"
            raise gr.Error(why, title="That does not work", print_exception=False) from error

    return handler  # type: ignore[return-value]


def whole(value: float | None, name: str, low: int = 0, high: int = 2**32 - 1) -> int:
    """A number from a form.

    Raises:
        InputError: where it is none, or out of range.
    """
    if value is None or int(value) != value or not low <= value <= high:
        given = "nothing" if value is None else f"{value:g}"
        raise InputError(f"{name} is {given}; give a whole number from {low:,} to {high:,}")
    return int(value)


def downloads(files: Mapping[str, Path | None], buttons: Sequence[str]) -> list[Any]:
    """Updates of download buttons: each has its file, or is hidden where there is none.

    Args:
        files: by suffix.
        buttons: the suffixes of the buttons in order.
    """
    return [
        gr.DownloadButton(value=str(files[s]), visible=True) if files.get(s) else gr.DownloadButton(visible=False)
        for s in buttons
    ]
