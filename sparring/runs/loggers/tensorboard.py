"""TensorBoard, whose files a run writes itself; they are written again if they were removed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sparring.runs.folder import RunFolder
from sparring.runs.loggers.tracker import Facts, Tracker


class Tensorboard(Tracker):
    def __init__(self, folder: RunFolder, facts: Facts, project: str, known: str) -> None:  # noqa: ARG002
        self.folder = folder.path / "tensorboard"
        there = any(self.folder.glob("events.out.tfevents.*"))
        self._id = known if there else uuid.uuid4().hex
        self.writer = None
        if self._id:  # otherwise the files are those of the run
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(self.folder))

    @property
    def id(self) -> str:
        return self._id

    @property
    def place(self) -> str:
        return f"{self.folder}; see them with tensorboard --logdir {self.folder.parent.parent}"

    def lines(self, lines: Sequence[Mapping[str, float]]) -> None:
        if self.writer is None:
            return
        for line in lines:
            for name in line.keys() - {"step"}:
                self.writer.add_scalar(name, line[name], int(line["step"]))

    def sheet(self, path: Path, step: int) -> None:
        if self.writer:
            pixels = np.asarray(Image.open(path).convert("RGB"))
            self.writer.add_image("samples", pixels, step, dataformats="HWC")

    def finish(self, evaluation: Mapping[str, float]) -> None:
        if self.writer is None:
            return
        for name, value in evaluation.items():
            self.writer.add_scalar(f"evaluation/{name}", value)

    def close(self) -> None:
        if self.writer:
            self.writer.close()


TRACKER = Tensorboard
