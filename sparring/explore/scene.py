"""What sheets are drawn from: a model, some of its samples, and real data next to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.console import Screen
from sparring.data import Items, tensors
from sparring.data.split import Split
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.evaluation.real import Real, read
from sparring.explore.space import Space
from sparring.modalities import Request, Samples
from sparring.modalities.samples import Media
from sparring.model import Model
from sparring.seeds import Seeds, seeded

BATCH_SIZE = 100


@dataclass(frozen=True)
class Sheet:
    """One drawing of a model.

    Attributes:
        name: of its file, without the suffix.
        caption: what it shows.
        picture: the image; None if it is a table.
        table: lines of cells, the first of which is the header.
        media: the same samples as a browser plays them, for kinds that it plays.
    """

    name: str
    caption: str
    picture: Image.Image | None = None
    table: tuple[tuple[str, ...], ...] = ()
    media: Media | None = None


@dataclass(frozen=True)
class Scene:
    """A model, and what of it is to be drawn. It is the `Explored` that kinds of data draw from.

    Attributes:
        model: that is explored.
        source: path or name of real data; those that it was trained on unless given.
        seed: of the samples.
        asked: what samples are asked for, as in `Model.sample`; classes take turns unless one is given.
        given: items to be inverted, as decoded; held-out ones unless given.
        perceptual: weight of the perceptual distance in that.
        screen: shows progress.
    """

    model: Model
    source: str | None = None
    seed: int = 0
    asked: Mapping[str, Any] = field(default_factory=dict)
    given: NDArray[Any] | None = None
    perceptual: float = 0.0
    screen: Screen = field(default_factory=lambda: Screen(quiet=True))

    @cached_property
    def space(self) -> Space:
        """
        Raises:
            InputError: if the model has none.
        """
        return Space(self.model)

    @property
    def has_space(self) -> bool:
        return self.model.game.space() is not None

    @cached_property
    def request(self) -> Request:
        """
        Raises:
            InputError: if samples cannot be asked for this while exploring.
        """
        request = self.model.modality.request(**self.asked)
        if request.length is not None:
            raise InputError(
                f"length={request.length} was given, but models are explored at their own length; remove --length"
            )
        return request

    # Samples.

    def conditions(self, n: int) -> Tensor | None:
        """Conditions of n samples, (n, ...); None if they have none."""
        if self.request.condition is None:
            return self.space.conditions(n)
        with seeded(Seeds(self.seed).key("conditions"), self.model.device):
            return self.model.modality.draw_conditions(n, self.model.device, self.request.condition)

    def points(self, n: int) -> Tensor:
        """Points of n samples, (n, full width)."""
        return self.space.draw(n, self.seed, self.conditions(n))

    def samples(self, n: int) -> Tensors:
        """n samples as networks generate them."""
        if self.has_space:
            batches = self.space.batches(self.points(n), self.conditions(n))
            return tensors.concatenate([self.space.generate(*batch) for batch in batches])
        return tensors.concatenate([batch for batch, _ in self.model.stream(n, self.seed, **self.asked)])

    def sample(self, n: int) -> Samples:
        """n samples in the user's units, which satisfy all rules of the request."""
        modality = self.model.modality
        if self.request.rules or not self.has_space:
            return self.model.sample_request(n, self.request, self.seed)
        return self.model.samples(self.request, modality.decode(self.samples(n)), self.conditions(n))

    # Real data.

    @cached_property
    def items(self) -> Items:
        """The real data.

        Raises:
            InputError: if they are missing.
        """
        try:
            return self.model.find_items(self.source)
        except InputError as error:
            hint = "" if self.source else "; say where the data are now with --data"
            raise InputError(f"{error}{hint}") from error

    @cached_property
    def split(self) -> Split:
        """Which of `items` are trained on."""
        return self.model.modality.split(self.items)

    @cached_property
    def real(self) -> Real:
        """The real data as networks see them, split as for training; with labels if there are any.

        Raises:
            InputError: if they are missing, or of another kind than the model generates.
        """
        with self.screen.progress(f"reading {self.items.name}") as progress:
            return read(self.model.modality, self.items, progress, min_items=1)[0]

    def batches(self, rows: Tensor) -> Iterator[Tensors]:
        """Real samples with their conditions, a batch at a time, as networks see them, on the CPU."""
        for part in torch.split(rows, BATCH_SIZE):
            yield self.real.modality.batch(self.real.data.items(part))

    def training(self) -> Iterator[Tensors]:
        """All training samples, a batch at a time, on the CPU."""
        with self.screen.progress(f"searching {self.items.name}") as progress:
            rows = self.real.data.train
            for i, batch in enumerate(self.batches(rows)):
                yield batch
                progress(min(len(rows), (i + 1) * BATCH_SIZE), len(rows))

    def held_out(self, n: int) -> Tensors:
        """At most n held-out samples, maybe 0."""
        data = self.real.data
        rows = data.held[:n] if len(data.held) else data.train[:1]
        return tensors.take(next(self.batches(rows)), slice(len(data.held)))

    def examples(self, n: int) -> Tensors:
        """At most n held-out samples, or training samples if none are held out, on the model's device."""
        data = self.real.data
        rows = data.held if self.has_held_out else data.train
        return tensors.move(next(self.batches(rows[:n])), self.model.device)

    @property
    def has_held_out(self) -> bool:
        return len(self.real.data.held) > 0

    def condition_of(self, batch: Tensors) -> Tensor | None:
        """Conditions of real samples as the model takes them; None if it takes none.

        Raises:
            InputError: if it takes some and there are none.
        """
        if not self.model.game.conditional:
            return None
        if CONDITION not in batch:
            raise InputError(f"{self.items.name!r} lacks the labels that the model was trained with; give other data")
        return batch[CONDITION]

    @property
    def held_words(self) -> str:
        """What `examples` are called."""
        if self.source is not None:
            return self.training_words
        items = self.model.modality.words.trained
        return f"held-out {items}" if self.has_held_out else f"training {items} (too few to hold some out)"

    @property
    def training_words(self) -> str:
        """What the items that are trained on are called."""
        modality = self.model.modality
        if self.source is None:
            return f"training {modality.words.trained}"
        conversion = modality.conversion(self.items)
        return f"{modality.words.trained} of {self.items.name!r}{f' ({conversion})' if conversion else ''}"

    def pixels(self, values: Tensor) -> NDArray[np.uint8]:
        """Image tensors (n, c, h, w) as bytes (n, h, w, c)."""
        pixels: NDArray[np.uint8] = self.model.modality.decode({VALUES: values}).astype(np.uint8)
        return pixels
