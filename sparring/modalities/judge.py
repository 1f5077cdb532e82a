"""What evaluates samples of a kind of data that has metrics of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.metrics.results import Evaluation
from sparring.nets.tiles import Mapper


@dataclass(frozen=True)
class TrainingData:
    """The data that a model was trained on.

    Attributes:
        name: short, for tables.
        source: the path or the name that the user gave.
        items: as they are now.
        count: number of items when the model was trained.
    """

    name: str
    source: str
    items: Items
    count: int


class Console(Protocol):
    """Shows messages and progress."""

    def say(self, text: str) -> None: ...

    def progress(self, what: str) -> AbstractContextManager[Progress]: ...


class Sampler(Protocol):
    """What judges need of a model."""

    def sample(self, n: int, *, seed: int | None = None, **asked: Any) -> Any:
        """n samples, as `Samples`."""

    def mapper(self, reverse: bool = False, sharpness: float = 1.0) -> Mapper:
        """What transforms given items."""


class Judge(ABC):
    """Compares samples of a model with real data, with the floor that held-out data reach and trivial baselines."""

    @abstractmethod
    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n samples, or as many as suit the data.

        Raises:
            InputError: if n is too small.
        """
