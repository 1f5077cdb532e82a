"""What a run writes down of itself: `log.jsonl`, and the same for TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.errors import InputError
from sparring.files import append_line, reason, write_bytes
from sparring.loop import Step

PROGRESS = ("kimg", "seconds", "speed")  # what a line tells beside losses, scores and what was observed


class Logbook:
    """Collects steps on the device, and writes their means line by line.

    Args:
        folder: the run's.
        step: where the run goes on; what a lost stretch has logged after it is dropped.

    Attributes:
        latest: the last number of each name that was written; another dictionary after each line.
    """

    def __init__(self, folder: Path, step: int) -> None:
        # TensorBoard takes a second to import, which only training should pay for.
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / "log.jsonl"
        if self.path.exists():
            lines = self.path.read_text().splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
            write_bytes(self.path, "".join(kept).encode())
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step or None)
        self.latest: dict[str, float] = {}
        self._steps: list[Step] = []

    def add(self, step: Step) -> None:
        """Collect a step; nothing is computed and nothing waits for the device."""
        self._steps.append(step)

    def means(self) -> dict[str, float]:
        """The means over the steps collected since the last call, by player/term or name."""
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
            InputError: where it cannot be written.
        """
        append_line(self.path, json.dumps({"step": step, **numbers}))
        self.latest = {**self.latest, **numbers}
        try:
            for name, value in numbers.items():
                self.board.add_scalar(name, value, step)
        except OSError as error:
            raise InputError(f"cannot write {self.path.parent / 'tensorboard'}: {reason(error)}") from error

    def picture(self, step: int, picture: Image.Image) -> None:
        """Show a sheet of samples beside the curves."""
        self.board.add_image("samples", np.asarray(picture.convert("RGB")), step, dataformats="HWC")

    def close(self) -> None:
        self.board.close()
