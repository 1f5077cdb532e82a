"""Images that are generated from given images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

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
from sparring.modalities.applying import Applied
from sparring.modalities.base import Encoded, Recommendation, Say, Source, Words
from sparring.modalities.images.depth import Levels
from sparring.modalities.images.fitting import channels_for, examine_some, levels_for, notes_on
from sparring.modalities.images.images import Images, random_crop
from sparring.modalities.judge import Console, Judge, TrainingData
from sparring.modalities.translation.baselines import Restorer, identity, thresholded
from sparring.modalities.translation.files.transform import is_video, transform
from sparring.modalities.translation.judge import judge_for
from sparring.modalities.translation.scores import is_binary
from sparring.nets.tiles import Mapper, bands
from sparring.sheets import sheet

MAX_WHOLE = 128  # pixels of a side up to which images of one size are not cropped
CROP = 96  # pixels of a crop of other images
MIN_SIDE = 8  # pixels of a crop, and of an evaluated image
MAX_COLUMNS = 12  # images in a row of a sheet


@dataclass(frozen=True)
class Translation(Images):
    """Images (channels, size, size) that are generated from given ones (given, size / times, size / times), in [-1, 1].
    In batches, the given images are the condition.

    Attributes:
        given: channels of the given images; 0 to choose them from the data.
        given_levels: of the given images, as `levels` are of the targets.
        turn: True to rotate images by random multiples of 90 degrees.
        wide: height and width of the stored crops, from which those of batches are taken.
    """

    reads: ClassVar[tuple[str, ...]] = ("images",)
    files: ClassVar[str] = ""
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = {}
    hub_task: ClassVar[str] = "image-to-image"
    words: ClassVar[Words] = Words("image", "images", "crops", compared="textures, colors and rough layout")
    preview_items: ClassVar[int] = 24
    applied_media: ClassVar[Mapping[str, str]] = {"image/png": ".png"}
    applied_to_films: ClassVar[bool] = True

    given: int = 0
    given_levels: tuple[float, ...] = ()
    turn: bool = False
    wide: int = 0

    @classmethod
    def read(cls, path: Path) -> Items | None:  # noqa: ARG003
        """None: files of images are read by `Images`, and this kind is fitted to the items of that."""
        return None

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        return None

    @property
    def times(self) -> int:
        """Factor by which generated images are larger than the given ones along each side."""
        return 1

    @property
    def masked(self) -> bool:
        """True if the last channel of given images is a mask: 1 where pixels are filled in, -1 elsewhere."""
        return False

    @property
    def paired(self) -> bool:
        """True if the target of each given image is known."""
        return True

    @property
    def source(self) -> Source:
        side = self.size // self.times
        return Source((self.given, side, side), Words("image", "images"), self.masked, self.times, self.paired)

    @property
    def kept(self) -> int:
        return self.wide or super().kept

    def deterministic(self) -> Self:
        """This modality as it is. Its crops stay random: evaluations seed them, so that they are always the same."""
        return self

    def sizes_for(self, sides: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """Size of the images that networks receive, and of the stored crops, for images of these widths and heights."""
        (width, height), *_ = sides
        if len(set(sides)) == 1 and width == height <= MAX_WHOLE and self.size in (0, width):
            return self._divisible(width), width
        size = self._divisible(self.size or CROP)
        return size, max(size, min(2 * size, *(side for pair in sides for side in pair)))

    def _divisible(self, size: int) -> int:
        minimum = max(MIN_SIDE, 2 * self.times)
        if size < minimum:
            raise InputError(f"images of {size} pixels a side are too small to train on; give {minimum} or more")
        return size // self.times * self.times

    def augment(self, pixels: Tensor) -> Tensor:
        """Random crops of stored ones, uint8 (n, c, kept, kept), mirrored and rotated at random: (n, c, size, size)."""
        if pixels.shape[-1] > self.size:
            pixels = random_crop(pixels, self.size)
        if self.flip:
            pixels = _random_choice(pixels, pixels.flip(-1))
        if self.turn:
            pixels = _random_choice(pixels, pixels.flip(-2))
            pixels = _random_choice(pixels, pixels.transpose(-1, -2))
        return pixels

    def conversion(self, items: Items) -> str:  # noqa: ARG002
        return ""

    def draw_batch(self, samples: Tensors, batch: Mapping[str, Tensor]) -> Image.Image:
        """Given images, generated images, and the targets if they are known, side by side."""
        generated = samples[VALUES]
        columns = [self.for_display(batch[CONDITION]), self.for_display(generated)]
        if self.paired:
            columns.append(self.for_display(batch[VALUES]))
        groups = MAX_COLUMNS // len(columns)
        n = max(1, len(generated) // groups) * groups if len(generated) >= groups else len(generated)
        pixels = torch.stack([column[:n] for column in columns], 1).flatten(0, 1)
        return sheet(pixels.permute(0, 2, 3, 1).cpu().numpy(), min(groups, n) * len(columns))

    @abstractmethod
    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Given images, (1, given, h, w), and their targets, (1, channels, times h, times w), in [-1, 1]: whole images
        if the modality keeps their scale, and always the same.

        Args:
            trained_on: True if a model was trained on these items, so that only held-out ones are used.
        """

    @property
    def downscale(self) -> Restorer | None:
        """The downscaling of given images, by which generated images are compared with them; None if there is none."""
        return None

    def baselines(self, target: Tensor) -> dict[str, Restorer]:
        """Methods that need no training, by name.

        Args:
            target: typical targets, (n, channels, h, w) in [-1, 1].
        """
        if self.paired and is_binary(target):
            return {"threshold": lambda x: thresholded(x.mean(1, keepdim=True)).expand(-1, self.channels, -1, -1)}
        return {"identity": identity} if self.given == self.channels else {}

    def for_display(self, x: Tensor) -> Tensor:
        """Given or generated images (n, c, h, w) as uint8 (n, colors, size, size)."""
        colors = max(self.channels, self.given - self.masked)
        x = x[:, : x.shape[1] - (self.masked and x.shape[1] > self.channels)]
        if x.shape[-1] != self.size:
            x = F.interpolate(x.float(), (self.size, self.size), mode="nearest")
        if x.shape[1] == 1 < colors:
            x = x.expand(-1, 3, -1, -1)
        opaque = torch.ones_like(x[:, :1]).expand(-1, colors - x.shape[1], -1, -1)
        return self.unscale(torch.cat([x, opaque], 1))

    def transform(
        self,
        mapper: Mapper,
        source: Path,
        out: Path,
        console: Console,
        mask: Path | None = None,
        smooth: bool = True,
        asked: Mapping[str, Any] = {},  # noqa: ARG002
    ) -> Applied:
        return transform(mapper, source, out, console, mask, smooth, Levels(self.given_levels))

    def applied_suffix(self, source: Path) -> str:
        film = Path("film.mp4")
        return film.suffix if is_video(source, film) else super().applied_suffix(source)

    def smallest_item(self, mapper: Mapper) -> NDArray[Any]:
        return np.full((MIN_SIDE, MIN_SIDE, mapper.channels), 255, np.uint8)

    def transform_item(self, mapper: Mapper, item: NDArray[Any]) -> NDArray[Any]:
        if item.ndim != 3 or item.shape[2] != mapper.channels:
            raise InputError(
                f"an image of shape {tuple(item.shape)} was given; give (height, width, {mapper.channels})"
            )
        return np.concatenate(list(bands(mapper, item)))

    def judge(self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say) -> Judge:
        return judge_for(self, training, against, options, say)


def _random_choice(one: Tensor, other: Tensor) -> Tensor:
    chosen = torch.rand(len(one), 1, 1, 1, device=one.device) < 0.5
    return torch.where(chosen, other, one)


def encoded(
    crops: Mapping[int, NDArray[np.uint8]], skipped: tuple[tuple[str, str], ...], notes: tuple[str, ...] = ()
) -> Encoded:
    """Crops of all images in one tensor.

    Args:
        crops: uint8 (n, c, side, side), by the index of their image.
        skipped, notes: as in `Encoded`.
    """
    if not crops:
        return Encoded({VALUES: Tensor()}, np.zeros(0, np.int64), skipped=skipped)
    counts = [len(part) for part in crops.values()]
    return Encoded(
        {VALUES: torch.from_numpy(np.concatenate(list(crops.values())))},
        np.repeat(np.array(list(crops), np.int64), counts),
        skipped=skipped,
        notes=notes,
    )


def split_of(indices: Sequence[int], held: NDArray[np.bool_] | None) -> Split:
    """The split of whole images, whether or not all of them can be read.

    Args:
        indices: of the images, in the order of the data.
        held: True for each item that the data themselves hold out; None if they hold none out.
    """
    index = np.array(indices, np.int64)
    is_held = held_out(len(index), None) if held is None else held[index]
    return Split(index[~is_held], index[is_held])


def unseen(split: Split, held: NDArray[np.bool_] | None, trained_on: bool) -> set[int]:
    """Indices of the images that a model was not trained on: the held-out ones if it was trained on these data;
    otherwise those that the data hold out for testing, or all.
    """
    if not trained_on and held is None:
        return {*split.train.tolist(), *split.held.tolist()}
    return set(split.held.tolist())


@dataclass(frozen=True)
class Examined:
    """What some images of a data set are like.

    Attributes:
        sides: widths and heights.
        channels: that they need.
        levels: the values that become black and white in those of more than eight bits.
        notes: what was decided, one line each.
    """

    sides: list[tuple[int, int]]
    channels: int
    levels: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def examined(items: Items, indices: Sequence[int] | None = None) -> Examined:
    """Properties of some of the images.

    Args:
        indices: of the images that are asked for; all unless given.
    """
    if isinstance(items.items, np.ndarray):
        height, width, *rest = items.items.shape[1:]
        return Examined([(width, height)], (rest or [1])[0])
    headers = examine_some(items.items if indices is None else items.items.only(indices))
    channels, levels = channels_for(headers, None), Levels(levels_for(headers).range)
    sides = [(header.width, header.height) for header in headers]
    return Examined(sides, channels, levels.range, notes_on(headers, channels, levels))


def check_count(encoded: Encoded, name: str) -> Encoded:
    """Check that at least two images can be read.

    Raises:
        InputError: if not.
    """
    count = len(encoded.readable)
    if count < 2:
        why = f" ({encoded.skipped[0][0]}: {encoded.skipped[0][1]})" if encoded.skipped else ""
        raise InputError(f"{count} images of {name!r} can be read{why}; give at least two")
    return encoded
