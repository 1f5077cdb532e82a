"""Weights & Biases."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from sparring.errors import InputError, needs, one_line
from sparring.runs.folder import RunFolder
from sparring.runs.loggers.tracker import Facts, Tracker, published

STEP = "step"  # the metric over which all others are drawn, so that sheets may come late


class Wandb(Tracker):
    def __init__(self, folder: RunFolder, facts: Facts, project: str, known: str) -> None:
        self.library = needs("wandb", "wandb", "tracks experiments")
        self.folder = folder
        try:
            self.run = self.library.init(
                project=project, name=facts.name, id=known or uuid.uuid4().hex[:12], resume="allow",
                config=dict(facts.fields), settings=self.library.Settings(silent=True, console="off"),
            )  # fmt: skip
        except (self.library.Error, OSError) as error:
            reason = f"Weights & Biases does not take it: {one_line(error)}"
            raise InputError(f"{reason}; log in with wandb login, or set WANDB_MODE=offline") from error
        self.run.define_metric("*", step_metric=STEP)

    @property
    def id(self) -> str:
        return str(self.run.id)

    @property
    def place(self) -> str:
        return str(self.run.url or Path(self.run.dir).parent)

    def lines(self, lines: Sequence[Mapping[str, float]]) -> None:
        for line in lines:
            self.run.log(dict(line))

    def sheet(self, path: Path, step: int) -> None:
        self.run.log({"samples": self.library.Image(str(path)), STEP: step})

    def finish(self, evaluation: Mapping[str, float]) -> None:
        self.run.summary.update({f"evaluation/{name}": value for name, value in evaluation.items()})
        model = self.library.Artifact(f"model-{self.id}", type="model")
        with published(self.folder) as place:
            model.add_dir(str(place))  # copies it
        self.run.log_artifact(model)

    def close(self) -> None:
        self.run.finish()


TRACKER = Wandb
