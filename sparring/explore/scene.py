"""What sheets are drawn of: a model, some of its samples, and real data beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.console import Screen
from sparring.data import Items
from sparring.data.dataset import Dataset
from sparring.data.sources import FolderSource, Unreadable
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.evaluation.real import Real, read
from sparring.explore.space import Space
from sparring.modalities import Images, Modality, find
from sparring.modalities.images.decoding import loaded, squared
from sparring.modalities.images.image_files import folder
from sparring.model import Model
from sparring.sheets import sheet
from sparring.training.prepare import prepare, room

ROWS = 8
AT_ONCE = 100
COLOURS = {1: "grey", 3: "coloured", 4: "transparent"}  # pictures, by their channels


@dataclass(frozen=True)
class Sheet:
    """Something that is drawn of a model, and what it shows.

    Attributes:
        name: of its file, without the suffix.
        shows: in words.
        picture: the sheet; None for what is a table.
        table: its lines, of which the first is the head.
    """

    name: str
    shows: str
    picture: Image.Image | None = None
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Scene:
    """A model, and what of it is to be shown.

    Attributes:
        model: that is explored.
        source: of real data; those that it was trained on unless given.
        seed: of the samples.
        label: that all samples are made for, 0-d; classes take turns unless given.
        pictures: that are to be inverted, uint8 (n, h, w, c); held-out ones unless given.
        screen: that shows progress.
    """

    model: Model
    source: str | None = None
    seed: int = 0
    label: Tensor | None = None
    pictures: NDArray[np.uint8] | None = None
    screen: Screen = field(default_factory=lambda: Screen(quiet=True))

    @cached_property
    def space(self) -> Space:
        return Space(self.model)

    @cached_property
    def items(self) -> Items:
        """Real data.

        Raises:
            InputError: where they are not there.
        """
        trained = str(self.model.about["data"])
        try:
            return find(self.source or trained)
        except InputError as error:
            hint = "" if self.source else "; say where the data are now with --data"
            raise InputError(f"{error}{hint}") from error

    @cached_property
    def real(self) -> Real:
        """Real data as nets see them, parted as for training; with labels where there are any.

        Raises:
            InputError: where they are not there, or no such as the model makes.
        """
        modality, items = self.model.modality, self.items
        if modality.kind in ("images", "points"):
            with self.screen.progress(f"reading {items.name}") as progress:
                return read(modality, items, progress, min_items=1)[0]
        if items.kind not in (modality.kind, *modality.reads):
            raise InputError(f"{items.name!r} holds {items.kind}, but the model makes {modality.kind}; give such data")
        data: Dataset
        memory = room(None, torch.device("cpu"))
        _, data, _ = prepare(self.model.recipe, modality, items, memory, Screen(quiet=True))
        return Real(items.name, modality.deterministic(), data)

    def labels(self, n: int) -> Tensor | None:
        """Of n samples, (n,); None where the model takes none."""
        return self.space.labels(n) if self.label is None else self.label.to(self.model.device).expand(n)

    def points(self, n: int) -> Tensor:
        """Of n samples, (n, full width)."""
        return self.space.draw(n, self.seed, self.labels(n))

    def batches(self, rows: Tensor) -> Iterator[dict[str, Tensor]]:
        """Some real items at a time, as nets see them, on the CPU, with what they are made of or labelled by."""
        for part in torch.split(rows, AT_ONCE):
            yield self.real.modality.batch(self.real.data.items(part))

    def held(self, n: int) -> dict[str, Tensor]:
        """At most n real items that were held out, or of a set too small for that some that were not, on the model's
        device.
        """
        data = self.real.data
        rows = data.held if self.unseen else data.train
        return {name: x.to(self.model.device) for name, x in next(self.batches(rows[:n])).items()}

    @property
    def unseen(self) -> bool:
        """Whether any real items were held out."""
        return len(self.real.data.held) > 0

    def held_in_words(self, things: str) -> str:
        """In words what `held` gives: pictures, points, ..."""
        if self.source is not None:
            return self.trained_in_words(things)
        return f"held-out {things}" if self.unseen else f"training {things} (too few for some to be held out)"

    def trained_in_words(self, things: str) -> str:
        """In words what `trained` gives: pictures, points, ..."""
        if self.source is None:
            return f"training {things}"
        modality, taken = self.model.modality, ""
        if isinstance(modality, Images) and modality.source is None:
            channels = Images().fit(self.items).channels
            if channels != modality.channels:
                taken = f" ({COLOURS[channels]}, taken as {COLOURS[modality.channels]})"
        return f"{things} of {self.items.name!r}{taken}"

    def trained(self) -> Iterator[Tensor]:
        """All real items that are trained on, some at a time."""
        with self.screen.progress(f"looking through {self.items.name}") as progress:
            rows = self.real.data.train
            for i, part in enumerate(self.batches(rows)):
                yield part["values"]
                progress(min(len(rows), (i + 1) * AT_ONCE), len(rows))

    def told(self, labels: Tensor | None) -> Tensor | None:
        """Labels of real items as the model takes them; None where it takes none.

        Raises:
            InputError: where it takes labels and there are none.
        """
        if not self.model.game.conditional:
            return None
        if labels is None:
            raise InputError(f"{self.items.name!r} has not the labels that the model was trained with; give other data")
        return labels

    def drawn(self, samples: Tensor, columns: int) -> Image.Image:
        """Pictures as nets make them, (n, c, h, w), on a sheet."""
        return sheet(self.decoded(samples), columns)

    def decoded(self, samples: Tensor) -> NDArray[np.uint8]:
        """Pictures as nets make them, (n, c, h, w), as bytes (n, h, w, c)."""
        pixels: NDArray[np.uint8] = self.model.modality.decode({VALUES: samples}).astype(np.uint8)
        return pixels


Drawing = Callable[[], Sequence[Sheet]]


def read_pictures(path: str | Path, modality: Modality) -> NDArray[np.uint8]:
    """A picture, or all pictures in a folder, at the size of a model's: uint8 (n, h, w, c).

    Raises:
        InputError: where there are none, or one cannot be read.
    """
    place = Path(path)
    if not place.exists():
        raise InputError(f"there is no picture {path}; give a file, or a folder of pictures")
    files = folder(place) if place.is_dir() else FolderSource(place.parent, (place.name,))
    if not len(files):
        raise InputError(f"there are no pictures in {path}; give a file, or a folder of pictures")
    channels, size, _ = modality.shape
    found = []
    for i, content in files.contents():
        picture = loaded(content)
        if isinstance(picture, Unreadable):
            raise InputError(f"{place / files.names[i] if place.is_dir() else place} cannot be read: {picture.why}")
        found.append(squared(picture, size, channels).transpose(1, 2, 0))
    return np.stack(found)
