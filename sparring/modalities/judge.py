"""What evaluates samples of a kind of data that has metrics of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.data.tensors import Tensors
from sparring.errors import InputError
from sparring.metrics.results import Evaluation
from sparring.nets.tiles import Mapper

if TYPE_CHECKING:
    from sparring.modalities.asks import Ask
    from sparring.modalities.base import Modality


@dataclass(frozen=True)
class TrainingData:
    """The data that a model was trained on.

    Attributes:
        name: short, for tables.
        source: the path, the address without credentials, or the name that the user gave.
        count: number of items when the model was trained.
        find: reads the items as they are now; may raise InputError.
    """

    name: str
    source: str
    count: int
    find: Callable[[], Items]

    @cached_property
    def items(self) -> Items:
        """The items as they are now.

        Raises:
            InputError: if they are not there anymore.
        """
        try:
            return self.find()
        except InputError as error:
            raise InputError(f"{error}; this needs the data that the model was trained on") from error

    def check_unchanged(self, items: str) -> None:
        """Check that the data still have the same number of items, so that the held-out ones are the same.

        Args:
            items: what several items are called.

        Raises:
            InputError: if they have more or fewer.
        """
        if self.items.total != self.count:
            raise InputError(
                f"{self.source} had {self.count:,} {items} when the model was trained and has {self.items.total:,} "
                "now, so that the held-out ones cannot be identified; restore the data as they were"
            )


class Console(Protocol):
    """Shows messages and progress."""

    def say(self, text: str) -> None: ...

    def progress(self, what: str) -> AbstractContextManager[Progress]: ...


class Sampler(Protocol):
    """What judges need of a model."""

    @property
    def modality(self) -> Modality: ...

    @property
    def fields(self) -> Mapping[str, object]:
        """Names and values of its recipe's fields: advice names only these."""

    @property
    def asks(self) -> tuple[Ask, ...]:
        """What samples can be asked for."""

    def sample(self, n: int, *, seed: int | None = None, **asked: Any) -> Any:
        """n samples, as `Samples`."""

    def stream(
        self, n: int, seed: int | None = None, truncation: float | None = None, first: int = 0, **asked: Any
    ) -> Iterator[tuple[Tensors, Tensor | None]]:
        """n samples batch by batch as the networks generate them, and their conditions; of those of a seed, from
        `first` on, a multiple of `Modality.chunk_size`.
        """

    def without_D(self) -> Sampler | None:
        """The generator without what the adversarial training has added to it; None if it learned from that alone."""

    def autoencoder(self) -> Callable[[Tensor, Tensor | None], Tensor] | None:
        """What encodes and decodes values (n, ...) of items for their conditions; None if the model cannot."""

    def complete(self, given: Tensors, known: Tensor) -> Tensors:
        """Samples of which a part is given."""

    def logits(self, values: Tensor, condition: Tensor | None) -> Tensor | None:
        """D's logits of samples (n, ...), higher for what it takes for real; None if there is no D."""

    def mapper(self, reverse: bool = False, sharpness: float = 1.0) -> Mapper:
        """What transforms given items."""


class Judge(ABC):
    """Compares samples of a model with real data, with the floor that held-out data reach and trivial baselines."""

    @property
    @abstractmethod
    def axes(self) -> tuple[str, str]:
        """Names of the metrics that show diversity and fidelity in the plot of `sparring compare`."""

    def check(self, modality: Modality) -> None:  # noqa: B027
        """Check that this judge can evaluate samples of a model with another fitted modality of the same kind.

        Raises:
            InputError: if it cannot.
        """

    @abstractmethod
    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n samples, or as many as suit the data.

        Raises:
            InputError: if n is too small.
        """

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:  # noqa: ARG002
        """Evaluate items that any tool wrote, in place of samples.

        Raises:
            InputError: if there are too few, they cannot be compared, or only models can be evaluated, such as those
                that generate samples from given items.
        """
        raise InputError(
            f"{items.name!r} cannot be evaluated without the model that generated it; use sparring evaluate RUN"
        )
