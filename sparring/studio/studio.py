"""The state that all users and all tabs of the page share."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.events import Dependency

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.model import Model
from sparring.provenance import Mark
from sparring.runs.folder import RunFolder
from sparring.studio.handlers import shows_errors
from sparring.studio.jobs import Jobs
from sparring.studio.models import Models
from sparring.studio.run_index import Card, RunIndex

CLEANING_INTERVAL = 3600  # seconds between two removals of old files
MAX_FILE_AGE = 24 * 3600  # seconds for which files are kept for download


class Stamp(NamedTuple):
    """Identifies a run and the version of its model.

    Attributes:
        run: its name; "" for none.
        version: time at which the model was written, in nanoseconds; 0 if there is none.
    """

    run: str
    version: int


NO_RUN = Stamp("", 0)


class Studio:
    """The runs, the jobs and the loaded models of a studio. What belongs to one user is in the states of the page.

    Args:
        places: folders of runs, or runs.
        device: that models run on.
        folder: for uploads, output of commands and downloads; removed when the studio ends.
        trust: as for `sparring.load`.
        mark, marks: as for `sparring.provenance.Mark.of`, for all samples that are downloaded.

    Attributes:
        run: the component that holds the name of the selected run.
        model_stamp: a state with a `Stamp`. It changes with the selected run and whenever its model is written.
    """

    run: gr.Dropdown
    model_stamp: gr.State

    def __init__(
        self, places: Sequence[Path], device: str, folder: Path, trust: bool = False, mark: Sequence[str] = (),
        marks: str = "",
    ) -> None:  # fmt: skip
        self.runs, self.models = RunIndex(places, trust), Models(device, trust)
        self.jobs = Jobs(folder / "output")
        self.new_run_lock = threading.Lock()  # held while the folder of a new run is chosen and its training started
        self.device, self.trust = device, trust
        self.laws, self.marks = tuple(mark), marks
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        self._cleaned = time.time()

    def new_file(self, name: str) -> Path:
        """A path for a file of this name to download, in a folder of its own. Old files are removed."""
        now = time.time()
        if now - self._cleaned > CLEANING_INTERVAL:
            self._cleaned = now
            for old in self.downloads.iterdir():
                if now - old.stat().st_mtime > MAX_FILE_AGE:
                    shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=self.downloads)) / name

    def mark(self, model: Model) -> Mark | None:
        """What marks samples of a model that are downloaded; None if nothing does."""
        return Mark.of(model, self.laws, self.marks) if self.laws else None

    def stamp(self, name: str | None) -> Stamp:
        """The stamp of a run."""
        path = self.runs.paths().get(name or "")
        model = None if path is None else RunFolder(path).model / "model.json"
        return Stamp(name or "", model.stat().st_mtime_ns if model is not None and model.is_file() else 0)

    def on_model(
        self, fit: Callable[..., dict[Any, Any]], fitted: gr.State, inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> Dependency:
        """Fit components to the selected model, once for each version of it.

        The selected run may change while an event waits: an event of one run may find another one, and be followed by
        the other one's own event. A second fit would reset what the user has entered since the first one.

        Args:
            fit: gets the stamp and the values of the inputs, and returns updates by component.
            fitted: state with the stamp that the components fit; at first `NO_RUN`.
            outputs: all components that are updated, but for `fitted`.
        """

        def once(stamp: Stamp, last: Stamp, *values: Any) -> dict[Any, Any]:
            return {fitted: gr.skip()} if stamp == last else {fitted: stamp, **fit(stamp, *values)}

        return self.model_stamp.change(
            shows_errors(once), [self.model_stamp, fitted, *inputs], [fitted, *outputs], show_progress="hidden"
        )

    def model(self, name: str | None) -> Model | None:
        """A run's model, to read what it declares; None if there is no such run or it has no model yet. Computing with
        it needs `models.use`.
        """
        try:
            return self.models.peek(self.runs.path(name))
        except InputError:
            return None

    def training_items(self, model: Model) -> Items | None:
        """The data that a model was trained on; None if they are missing or have another number of items."""
        try:
            items = model.find_items()
        except InputError:
            return None
        return items if items.total == model.about["items"] else None

    def selection(self, preferred: str | None) -> tuple[list[str], str | None]:
        """The names of all runs, and the selected one: the preferred one if it exists, otherwise the newest."""
        names = list(self.runs.paths())
        return names, preferred if preferred in names else next(iter(names), None)

    def job_states(self, cards: Sequence[Card]) -> dict[str, str]:
        """What commands are doing with runs, by the names of the runs; "" if nothing."""
        states = {}
        for card in cards:
            job = self.jobs.last(card.path)
            states[card.name] = job.state if job and job.running else "training" if card.is_training() else ""
        return states
