"""What the user asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sparring.recipes.base import Recipe
from sparring.training.bounds import Bound
from sparring.training.exporter import Address
from sparring.training.launcher import Launcher
from sparring.training.prepare import room


@dataclass(frozen=True)
class Request:
    """What the user has asked for, as for `train`.

    Attributes:
        asked: the seed and the precision.
        launcher: of the processes of the run.
        ranks: number of processes, whoever starts them.
    """

    recipe: str | Recipe[Any] | None
    data: str | os.PathLike[str]
    out: Path | None
    fields: Mapping[str, Any]
    bound: Bound
    asked: Mapping[str, Any]
    place: torch.device
    launcher: Launcher
    ranks: int
    exact: bool | None
    resume: bool
    force: bool
    until: str
    memory: str | None
    metrics: Address | None
    quiet: bool
    save_every: float

    @property
    def room(self) -> int:
        """Bytes of data that this process keeps in memory at most."""
        return room(self.memory, self.place) // self.launcher.local_ranks
