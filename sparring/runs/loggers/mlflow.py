"""MLflow: a run of an experiment, with its model as a flavor that `mlflow.pyfunc.load_model` reads."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sparring
from sparring.errors import InputError, needs, one_line
from sparring.runs.folder import RunFolder
from sparring.runs.loggers.tracker import Facts, Tracker, published, published_card

FORBIDDEN = re.compile(r"[^\w\-. :/]+")  # characters of names that MLflow refuses
MAX_METRICS, MAX_PARAMS = 1000, 100  # of a request
LOADER = "sparring.use.pyfunc"  # imported by MLflow to load the model: nothing is pickled


class Mlflow(Tracker):
    def __init__(self, folder: RunFolder, facts: Facts, project: str, known: str) -> None:
        self.library = needs("mlflow", "mlflow", "tracks experiments")
        self.folder = folder
        with _explained():
            self.client = self.library.MlflowClient()
            self._id = known or self._created(facts, project)

    def _created(self, facts: Facts, project: str) -> str:
        """A new run in the experiment."""
        found = self.client.get_experiment_by_name(project)
        experiment = found.experiment_id if found else self.client.create_experiment(project)
        run = self.client.create_run(experiment, tags={"mlflow.runName": facts.name, "sparring": sparring.__version__})
        params = [self.library.entities.Param(_named(name), value) for name, value in facts.fields.items()]
        for start in range(0, len(params), MAX_PARAMS):
            self.client.log_batch(run.info.run_id, params=params[start : start + MAX_PARAMS])
        return str(run.info.run_id)

    @property
    def id(self) -> str:
        return self._id

    @property
    def place(self) -> str:
        return f"run {self.id} at {self.library.get_tracking_uri()}"

    def lines(self, lines: Sequence[Mapping[str, float]]) -> None:
        began = self.folder.log.stat().st_mtime - lines[-1]["seconds"]
        metrics = [
            self.library.entities.Metric(_named(name), value, int(1000 * (began + line["seconds"])), int(line["step"]))
            for line in lines
            for name, value in line.items()
            if name != "step"
        ]
        with _explained():
            for start in range(0, len(metrics), MAX_METRICS):
                self.client.log_batch(self.id, metrics=metrics[start : start + MAX_METRICS])

    def sheet(self, path: Path, step: int) -> None:  # noqa: ARG002
        with _explained():
            self.client.log_artifact(self.id, str(path), "samples")

    def finish(self, evaluation: Mapping[str, float]) -> None:
        with _explained():
            for name, value in evaluation.items():
                self.client.log_metric(self.id, f"evaluation/{_named(name)}", value)
            if self.folder.card.is_file():
                self.client.log_text(self.id, published_card(self.folder), self.folder.card.name)
            if self.folder.evaluation.is_file():
                self.client.log_artifact(self.id, str(self.folder.evaluation))
            with tempfile.TemporaryDirectory() as temporary, published(self.folder) as model:
                flavor = Path(temporary) / "model"
                self.library.pyfunc.save_model(
                    flavor, loader_module=LOADER, data_path=str(model),
                    pip_requirements=[f"sparring=={sparring.__version__}"],
                )  # fmt: skip
                self.client.log_artifacts(self.id, str(flavor), "model")
            self.client.set_terminated(self.id)

    def close(self) -> None:
        """Nothing waits: each call has written what it was given."""


def _named(name: str) -> str:
    """A name as MLflow takes it: fid[patches] is fid.patches."""
    return FORBIDDEN.sub("_", name.replace("[", ".").replace("]", ""))


@contextmanager
def _explained() -> Iterator[None]:
    """Turns what MLflow refuses into one line.

    Raises:
        InputError: for each.
    """
    refused: Any = needs("mlflow.exceptions", "mlflow", "tracks experiments").MlflowException
    try:
        yield
    except (refused, OSError) as error:
        raise InputError(f"MLflow does not take it: {one_line(error)}; see MLFLOW_TRACKING_URI") from error


TRACKER = Mlflow
