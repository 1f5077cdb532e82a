"""What all modalities have."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, Stored
from sparring.errors import InputError, nearest
from sparring.files import vacant

COLUMNS = 16  # classes that have a column each on a sheet, at most


def unseen(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Encoded:
    """All items of a data set as batches are drawn from them.

    Attributes:
        samples: (n, ...), in memory or in a file.
        kept: which of the items found these are, (n,).
        skipped: names of the others, and why.
        parted: which of the samples are trained on and which are held out, where that is not left to chance.
        notes: what the user should know of them, a line each.
        beside: others that go beside them, none with another: what unpaired pictures are to be made of.
    """

    samples: Tensor | Stored
    kept: NDArray[np.int64]
    skipped: tuple[tuple[str, str], ...] = ()
    parted: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    notes: tuple[str, ...] = ()
    beside: Encoded | None = None


@dataclass(frozen=True)
class Request:
    """What is asked of samples.

    Attributes:
        label: as G takes it for one sample, negative where it is free; None where nothing is asked.
        rules: what is to be true of every sample that is handed out.
        length: of a sample in steps, where it may have any; None for as many as nets were trained on.
    """

    label: Tensor | None = None
    rules: tuple[Any, ...] = ()
    length: int | None = None


@dataclass(frozen=True)
class Modality(ABC):
    """A kind of data: a frozen dataclass of primitives, whose fields are its fitted state.

    Attributes:
        classes: names of the labels, none where the data have none or they are not to be used.
        counts: how many items each class has.
    """

    kind: ClassVar[str]
    reads: ClassVar[tuple[str, ...]] = ()  # kinds of data that it can be fitted to beside its own
    suffixes: ClassVar[tuple[str, ...]]  # of the files it writes; a folder where it is "" too
    features_name: ClassVar[str]  # of what samples are judged by while they are trained
    mapped: ClassVar[bool] = False  # whether samples are made of items that are given, as pictures of pictures
    shown: ClassVar[int] = 64  # samples on a sheet
    chunk: ClassVar[int] = 64  # samples made at once; a seed's do not depend on how many are asked for

    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one sample, as nets see it."""

    @property
    def given_shape(self) -> tuple[int, ...]:
        """Of what one sample is made of, where that is an item."""
        return ()

    @property
    def masked(self) -> bool:
        """Whether the last channel of what is given is a mask, 1 where pixels are to be made and -1 elsewhere."""
        return False

    @abstractmethod
    def fit(self, items: Items) -> Self:
        """This modality with what it has to know of the data: sizes, labels, scaling."""

    @abstractmethod
    def encode(self, items: Items, progress: Progress = unseen) -> Encoded:
        """All items as a compact tensor (n, ...), in memory or in a file."""

    @abstractmethod
    def scale(self, encoded: Tensor) -> Tensor:
        """Encoded items as nets see them, (n, *shape), on any device."""

    @abstractmethod
    def unscale(self, samples: Tensor) -> Tensor:
        """What nets make, (n, *shape), as it would be encoded; `scale` brings back what a file of it holds."""

    @abstractmethod
    def decode(self, samples: Tensor, start: int = 0) -> NDArray[np.generic]:
        """What nets make, (n, *shape), in the user's units.

        Args:
            start: how many have been made before these, for what numbers them.
        """

    def joined(self, parts: Sequence[Any]) -> Any:
        """Decoded samples one after the other."""
        return np.concatenate(parts)

    @abstractmethod
    def features(self, samples: Tensor) -> Tensor:
        """What samples as nets make them, (n, *shape), are judged by while they are trained: (n, d)."""

    @abstractmethod
    def preview(self, samples: Samples) -> Image.Image:
        """A picture of samples for people to look at."""

    def drawing(self, made: Tensor, given: Mapping[str, Tensor]) -> Image.Image:
        """A picture of what nets have made, (n, *shape), beside what it was made for.

        Args:
            given: the labels ("label"), and real items ("real") where samples are made of items.
        """
        labels = given["label"].cpu().numpy() if self.classes else None
        return Samples(self.decode(made), labels, self).preview()

    @abstractmethod
    def write(self, samples: Samples, path: Path) -> None:
        """Samples to a file, or to a folder of files, as the path's suffix says."""

    def labelled(self, classes: tuple[str, ...], labels: NDArray[np.int64]) -> Self:
        """This modality for samples that are made for a label."""
        counts = np.bincount(labels, minlength=len(classes))
        return replace(self, classes=classes, counts=tuple(int(c) for c in counts))

    @property
    def conditions(self) -> int:
        """How many numbers samples are asked for by: 1 for a class, 0 where they cannot be asked for."""
        return int(bool(self.classes))

    def labels(self, n: int, device: torch.device, asked: Tensor | None = None) -> Tensor | None:
        """Labels for n samples; None where samples cannot be asked for.

        Args:
            asked: as a `Request` has it; without it, or where it is free, as often as in the data, by the device's
                generator.
        """
        if not self.classes:
            return None
        if asked is not None:
            return asked.to(device).expand(n)
        return torch.tensor(self.counts, device=device).float().multinomial(n, replacement=True)

    def weights(self, encoded: Tensor | Stored) -> Tensor | None:  # noqa: ARG002
        """How often each item is to be drawn, (n,), up to a factor; None for one as often as another."""
        return None

    def batch(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A batch of encoded items as nets see it; with chance where that is asked for."""
        return {**tensors, "real": self.scale(tensors["real"])}

    def plain(self) -> Self:
        """This modality without chance in its batches."""
        return self

    def request(self, label: str | int | None, where: Sequence[str] = (), length: int | None = None) -> Request:
        """What is asked of samples.

        Args:
            label: of what class.
            where: conditions, for rows of tables.
            length: in steps, for series.

        Raises:
            InputError: where there is no such class, or these samples cannot be asked for so.
        """
        if where:
            raise InputError(f"{where[0]!r} asks for rows of a table, but this model makes {self.kind}; give a label")
        if length is not None:
            raise InputError(f"length={length} is for series, but this model makes {self.kind}; leave it out")
        return Request(None if label is None else torch.tensor(self.label(label)))

    def label(self, name: str | int) -> int:
        """The number of a label.

        Raises:
            InputError: where there is no such label.
        """
        if not self.classes:
            raise InputError(f"label {name!r} was given, but this model was trained without labels (labels=true)")
        if str(name) not in self.classes:
            raise InputError(f"there is no label {str(name)!r}; {nearest(str(name), self.classes)}")
        return self.classes.index(str(name))

    def check_out(self, path: Path, force: bool) -> None:
        """See that samples may be written to a path.

        Raises:
            InputError: where something is there already, or no such format can be written.
        """
        if path.suffix.lower() not in self.suffixes and not path.is_dir():
            known = ", ".join(s or "a folder" for s in self.suffixes)
            raise InputError(f"{path}: cannot write {self.kind} as {path.suffix!r}; choose from {known}")
        vacant(path, force)


@dataclass(frozen=True)
class Samples:
    """What a model has made.

    Attributes:
        items: the samples in the user's units: pictures uint8 (n, h, w, c), points float (n, d), tables a frame,
            series float (n, steps, channels).
        labels: the class of each, (n,), or None.
        modality: what kind they are.
    """

    items: Any
    labels: NDArray[np.int64] | None
    modality: Modality

    def __len__(self) -> int:
        return len(self.items)

    def preview(self) -> Image.Image:
        """A picture of all samples."""
        return self.modality.preview(self)

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the samples; the suffix says how.

        Pictures go to a folder of PNG files (no suffix), one sheet (`.png`) or arrays (`.npz`);
        points to `.csv`, `.npy`, `.npz` or a plot (`.png`); tables to `.csv`, `.tsv`, `.parquet` or a plot; series
        to any of these but `.npy`.

        Raises:
            InputError: where something is there already and `force` is not set.
        """
        self.modality.check_out(Path(path), force)
        self.modality.write(self, Path(path))


def arrays(samples: Samples, name: str) -> dict[str, NDArray[Any]]:
    """The content of a `.npz`: the samples under their name, then labels where there are any."""
    return {name: samples.items} | ({} if samples.labels is None else {"labels": samples.labels})


def columns_for(samples: Samples) -> int:
    """How many columns a sheet has: near square; where classes take turns, each keeps to its columns."""
    classes = len(samples.modality.classes)
    turns = np.arange(len(samples)) % max(1, classes)
    if samples.labels is not None and classes <= COLUMNS and np.array_equal(samples.labels, turns):
        return classes * max(1, round(math.sqrt(len(samples)) / classes))
    return math.ceil(math.sqrt(len(samples)))
