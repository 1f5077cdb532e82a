"""A run's log: `log.jsonl`, and the same for TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.errors import InputError
from sparring.files import append_line, describe_error, write_text
from sparring.json_files import mismatch, read_lines
from sparring.loop import Step

PROGRESS = ("kimg", "seconds", "speed")  # of a line, besides losses, scores and observations


class Line(TypedDict):
    """What every line of the log has; further numbers are there by name."""

    step: int
    kimg: float
    seconds: float
    speed: float


def read_log(path: Path) -> list[dict[str, float]]:
    """The lines of a log: numbers by name. None if there is no log.

    Raises:
        InputError: if it is damaged.
    """
    lines = read_lines(path, dict[str, float])
    for line in lines:
        if problem := mismatch(line, Line):
            raise InputError(f"{path} is damaged: {problem}")
    return lines


def as_line(numbers: Mapping[str, float]) -> str:
    return json.dumps(numbers) + "\n"


class Logbook:
    """Collects steps on the device, and writes their means line by line.

    Args:
        folder: of the run.
        step: where the run continues; lines after this step are dropped.

    Attributes:
        latest: the last value of each name; a new dictionary after each line.
    """

    def __init__(self, folder: Path, step: int) -> None:
        # Importing TensorBoard takes a second; only training needs it.
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / "log.jsonl"
        if self.path.exists():
            kept = [as_line(line) for line in read_log(self.path) if line["step"] <= step]
            write_text(self.path, "".join(kept))
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step or None)
        self.latest: dict[str, float] = {}
        self._steps: list[Step] = []

    def add(self, step: Step) -> None:
        """Collect a step, without computing anything or waiting for the device."""
        self._steps.append(step)

    def means(self) -> dict[str, float]:
        """Means over the steps since the last call, by player/term or name."""
        columns: dict[str, list[Tensor]] = {}
        for step in self._steps:
            for player, losses in step.losses.items():
                for term, value in losses.items():
                    columns.setdefault(f"{player}/{term}", []).append(value)
            for name, value in step.observed.items():
                columns.setdefault(name, []).append(value)
        self._steps.clear()
        if not columns:
            return {}
        # One transfer for all of them.
        means = torch.stack([torch.stack(values).mean() for values in columns.values()]).tolist()
        return dict(zip(columns, means, strict=True))

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Append a line for a step.

        Raises:
            InputError: if it cannot be written.
        """
        append_line(self.path, as_line({"step": step, **numbers}).rstrip())
        self.latest = {**self.latest, **numbers}
        try:
            for name, value in numbers.items():
                self.board.add_scalar(name, value, step)
        except OSError as error:
            raise InputError(f"cannot write {self.path.parent / 'tensorboard'}: {describe_error(error)}") from error

    def picture(self, step: int, picture: Image.Image) -> None:
        """Add a sheet of samples."""
        self.board.add_image("samples", np.asarray(picture.convert("RGB")), step, dataformats="HWC")

    def close(self) -> None:
        self.board.close()
