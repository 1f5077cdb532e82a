"""Pictures that are made of given pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from sparring.data.items import Items
from sparring.data.split import Split, held_out
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Recommendation, Source, Words
from sparring.modalities.images.decoding import Header
from sparring.modalities.images.images import Images, examine_some, random_crop
from sparring.sheets import sheet

WHOLE = 128  # pixels of a side up to which pictures of one size are learnt whole, and
SQUARE = 96  # of the squares that others are learnt by
LEAST = 8  # pixels of a side, of squares and of pictures that are judged
ACROSS = 12  # pictures in a line of a sheet


@dataclass(frozen=True)
class Translation(Images):
    """Pictures (channels, size, size) that are made of given ones (given, size / times, size / times), in [-1, 1].
    Batches have them as "real" and as "label".

    Attributes:
        given: channels of what is given; 0 to find out.
        turn: whether pictures are turned by right angles at random.
        wide: height and width of the squares that are kept, out of which batches are cut.
    """

    reads: ClassVar[tuple[str, ...]] = ("images",)
    words: ClassVar[Words] = Words("image", "images", "crops", compared="textures, colors and rough layout")
    preview_items: ClassVar[int] = 24

    files: ClassVar[str] = ""
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = {}

    given: int = 0
    turn: bool = False
    wide: int = 0

    @classmethod
    def read(cls, path: Path) -> Items | None:  # noqa: ARG003
        """None: files of images are read by `Images`, whose items this kind is fitted to."""
        return None

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        return None

    @property
    def times(self) -> int:
        """How many times larger what is made is than what is given."""
        return 1

    @property
    def masked(self) -> bool:
        """True if the last channel of given pictures is a mask: 1 where pixels are filled in, -1 elsewhere."""
        return False

    @property
    def source(self) -> Source:
        side = self.size // self.times
        return Source((self.given, side, side), Words("image", "images"), self.masked, self.times, self.true)

    @property
    def kept(self) -> int:
        return self.wide or super().kept

    def deterministic(self) -> Self:
        """As it is: what is cut out of a picture is left to chance still, always the same for the same item."""
        return self

    def sized(self, sides: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """Size and side of the squares for pictures of these widths and heights."""
        (width, height), *_ = sides
        if len(set(sides)) == 1 and width == height <= WHOLE and self.size in (0, width):
            return self._whole_times(width), width
        size = self._whole_times(self.size or SQUARE)
        return size, max(size, min(2 * size, *(side for pair in sides for side in pair)))

    def _whole_times(self, size: int) -> int:
        least = max(LEAST, 2 * self.times)
        if size < least:
            raise InputError(f"{size} pixels of a side are too few to be learnt from; give pictures of {least} or more")
        return size // self.times * self.times

    def cut(self, pixels: Tensor) -> Tensor:
        """Squares uint8 (n, c, kept, kept) as nets see them, with chance: uint8 (n, c, size, size)."""
        if pixels.shape[-1] > self.size:
            pixels = random_crop(pixels, self.size)
        if self.flip:
            pixels = self._some(pixels, pixels.flip(-1))
        if self.turn:
            pixels = self._some(pixels, pixels.flip(-2))
            pixels = self._some(pixels, pixels.transpose(-1, -2))
        return pixels

    def _some(self, one: Tensor, other: Tensor) -> Tensor:
        chosen = torch.rand(len(one), 1, 1, 1, device=one.device) < 0.5
        return torch.where(chosen, other, one)

    def draw_batch(self, samples: Tensors, batch: Mapping[str, Tensor]) -> Image.Image:
        """What is given, what is made of it, and the truth where there is one, beside one another."""
        made = samples[VALUES]
        columns = [self.pictured(batch[CONDITION]), self.pictured(made)]
        if self.true:
            columns.append(self.pictured(batch[VALUES]))
        each = ACROSS // len(columns)
        n = max(1, len(made) // each) * each if len(made) >= each else len(made)
        pixels = torch.stack([column[:n] for column in columns], 1).flatten(0, 1)
        return sheet(pixels.permute(0, 2, 3, 1).cpu().numpy(), min(each, n) * len(columns))

    @property
    def true(self) -> bool:
        """Whether what is to be made of a given picture is known."""
        return True

    @abstractmethod
    def examples(self, items: Items, apart: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Given pictures, (1, given, h, w), and what is to be made of them, (1, channels, times h, times w), in
        [-1, 1]: whole where they are learnt at their own scale, always the same.

        Args:
            apart: whether only those that are held out when these items are trained on.
        """

    def pictured(self, x: Tensor) -> Tensor:
        """Pictures (n, c, h, w), given or made, for people to look at: uint8 (n, colours, size, size)."""
        colours = max(self.channels, self.given - self.masked)
        x = x[:, : x.shape[1] - (self.masked and x.shape[1] > self.channels)]
        if x.shape[-1] != self.size:
            x = F.interpolate(x.float(), (self.size, self.size), mode="nearest")
        if x.shape[1] == 1 < colours:
            x = x.expand(-1, 3, -1, -1)
        opaque = torch.ones_like(x[:, :1]).expand(-1, colours - x.shape[1], -1, -1)
        return self.unscale(torch.cat([x, opaque], 1))


def encoded(
    squares: Mapping[int, NDArray[np.uint8]], skipped: tuple[tuple[str, str], ...], notes: tuple[str, ...] = ()
) -> Encoded:
    """Crops of all pictures in one tensor.

    Args:
        squares: crops of each picture that can be read, uint8 (n, c, side, side), by its item.
        skipped, notes: as in `Encoded`.
    """
    if not squares:
        return Encoded({VALUES: Tensor()}, np.zeros(0, np.int64), skipped=skipped)
    counts = [len(part) for part in squares.values()]
    return Encoded(
        {VALUES: torch.from_numpy(np.concatenate(list(squares.values())))},
        np.repeat(np.array(list(squares), np.int64), counts),
        skipped=skipped,
        notes=notes,
    )


def split_of(ids: Sequence[int], known: NDArray[np.bool_] | None) -> Split:
    """Whole pictures that are held out, whether or not all of them can be read.

    Args:
        ids: of the pictures, in the order of the data.
        known: which of all items the data themselves set apart.
    """
    index = np.array(ids, np.int64)
    held = held_out(len(index), None) if known is None else known[index]
    return Split(index[~held], index[held])


def unseen_by_training(split: Split, known: NDArray[np.bool_] | None, trained_on: bool) -> set[int]:
    """Pictures that a model has not seen: the held-out ones if it was trained on these data; otherwise those that the
    data set apart for testing, or all.
    """
    if not trained_on and known is None:
        return {*split.train.tolist(), *split.held.tolist()}
    return set(split.held.tolist())


def seen(items: Items, which: Sequence[int] | None = None) -> tuple[list[tuple[int, int]], int]:
    """Widths and heights of some of the pictures, and channels that they need."""
    if isinstance(items.items, np.ndarray):
        height, width, *rest = items.items.shape[1:]
        return [(width, height)], (rest or [1])[0]
    found: list[Header] = examine_some(items.items if which is None else items.items.only(which))
    return [(f.width, f.height) for f in found], max(f.channels for f in found)


def several(encoded: Encoded, name: str) -> Encoded:
    """Encoded pictures, of which there are two at least.

    Raises:
        InputError: where there are not.
    """
    if len(set(encoded.items.tolist())) < 2:
        why = f" ({encoded.skipped[0][0]}: {encoded.skipped[0][1]})" if encoded.skipped else ""
        raise InputError(f"{len(set(encoded.items.tolist()))} pictures of {name!r} can be read{why}; give at least two")
    return encoded
