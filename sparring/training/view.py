"""A read-only view of a run, for what observes it."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from sparring.console import Screen
from sparring.data.dataset import Dataset
from sparring.games.game import Game
from sparring.loop import Player
from sparring.modalities import Modality
from sparring.recipes.base import Recipe
from sparring.runs.folder import RunFolder
from sparring.seeds import Seeds
from sparring.training.average import Average
from sparring.training.bounds import Bound
from sparring.training.reserve import Reserve
from sparring.training.scored_samples import ScoredSamples
from sparring.training.settings import Settings
from sparring.training.writer import CheckpointWriter


class RunView(Protocol):
    """A run as the watch, the exporter of metrics and the publisher of the model see it.

    Attributes:
        game: the nets that are trained.
        average: a game with averaged weights, which becomes the model.
        step, seconds: how much has been played.
        salt: number of rollbacks; it changes all random numbers.
        spent: moves of D that the privacy budget has paid for; 0 if the run is not private.
        progress: the part of the plan that has been played, in [0, 1].
        reserve: how long what follows the last step will take.
        scored_samples: what scores are computed of, on all ranks.
        writer: writes checkpoints in a thread.
        threads_used: each number of threads on a CPU, after the step from which on it was used.
        last_phase: True while the recipe's last phase is played.
    """

    @property
    def recipe(self) -> Recipe[Any]: ...

    @property
    def modality(self) -> Modality: ...

    @property
    def data(self) -> Dataset: ...

    @property
    def folder(self) -> RunFolder: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def bound(self) -> Bound: ...

    @property
    def screen(self) -> Screen: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def seeds(self) -> Seeds: ...

    @property
    def game(self) -> Game: ...

    @property
    def average(self) -> Average: ...

    @property
    def step(self) -> int: ...

    @property
    def seconds(self) -> float: ...

    @property
    def salt(self) -> int: ...

    @property
    def spent(self) -> int: ...

    @property
    def progress(self) -> float: ...

    @property
    def reserve(self) -> Reserve: ...

    @property
    def writer(self) -> CheckpointWriter: ...

    @property
    def scored_samples(self) -> ScoredSamples: ...

    @property
    def threads_used(self) -> list[tuple[int, int]]: ...

    @property
    def last_phase(self) -> bool: ...

    def players(self) -> list[Player]: ...
