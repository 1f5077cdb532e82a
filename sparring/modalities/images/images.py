"""FileSource of one size."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.sources import FileSource, Unreadable, each
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.files import component
from sparring.metrics.patches import patches
from sparring.modalities.base import Encoded, Modality, Samples, Words, Writer
from sparring.modalities.images.decoding import Look, decode, look, squared
from sparring.modalities.samples import as_image, base64_png, columns_for, labeled_arrays, write_arrays, write_png
from sparring.sheets import sheet

LARGEST = 64  # pixels that pictures of many sizes are brought to, at most, unless told
LOOKED_AT = 256  # files that are opened to find size and channels


@dataclass(frozen=True)
class Images(Modality):
    """Square pictures; nets see (channels, size, size) in [-1, 1].

    Attributes:
        size: height and width in pixels; 0 to choose it from the data.
        channels: 1 grey, 3 colour, 4 colour and alpha; 0 to choose it from the data.
        flip: whether pictures are mirrored at random.
        crop: how much larger than `size` pictures are kept, as a share of it; what nets see is cut
            out of them at random.
    """

    kind: ClassVar[str] = "images"
    words: ClassVar[Words] = Words("image", "images", compared="textures, colors and rough layout")

    features_name: ClassVar[str] = "patches"

    size: int = 0
    channels: int = 0
    flip: bool = False
    crop: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.size, self.size)

    @property
    def classifier_input(self) -> tuple[int, int, int]:
        return (self.channels, self.size, self.size)

    @property
    def kept(self) -> int:
        """Height and width of the pictures that are kept to be cut."""
        return self.size + round(self.size * self.crop)

    def fit(self, items: Items) -> Self:
        if isinstance(items.items, np.ndarray):
            height, width, *rest = items.items.shape[1:]
            sides, channels = [min(height, width)], (rest or [1])[0]
        else:
            found = looks(items.items)
            sides, channels = [min(f.width, f.height) for f in found], max(f.channels for f in found)
        size = self.size or (sides[0] if len(set(sides)) == 1 else 0)
        if not size or (not self.size and size > LARGEST):
            size = max(4, min(LARGEST, 2 ** int(np.log2(np.median(sides)))))
        return replace(self, size=size, channels=self.channels or channels)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """FileSource as uint8, (n, channels, kept, kept), cut to squares about their middle.

        Raises:
            InputError: where fewer than two can be read, or all are the same.
        """
        if isinstance(items.items, np.ndarray):
            made = Encoded({VALUES: self._squared(items.items, progress)}, np.arange(len(items)))
        else:
            found = decode(items.items, self.kept, self.channels, progress)
            made = Encoded({VALUES: found.rows}, found.kept, skipped=found.skipped)
        pixels = made.values if isinstance(made.values, Tensor) else made.values.map()[1]
        if all(torch.equal(part, pixels[:1].expand_as(part)) for part in torch.split(pixels, 4096)):
            raise InputError(
                f"all {len(pixels):,} pictures of {items.name} are identical; a GAN needs some that differ"
            )
        return made

    def _squared(self, pictures: NDArray[np.generic], progress: Progress) -> Tensor:
        stacked = pictures.reshape(*pictures.shape[:3], -1)
        if stacked.shape[1:] == (self.kept, self.kept, self.channels):
            return torch.from_numpy(stacked.transpose(0, 3, 1, 2).astype(np.uint8, copy=True))
        made = np.empty((len(stacked), self.channels, self.kept, self.kept), np.uint8)
        for i, pixels in enumerate(stacked):
            made[i] = squared(Image.fromarray(pixels.squeeze()), self.kept, self.channels)
            progress(i + 1, len(stacked))
        return torch.from_numpy(made)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        pixels = tensors[VALUES]
        if self.crop:
            pixels = cropped(pixels, self.size)
        if self.flip:
            mirrored = torch.rand(len(pixels), 1, 1, 1, device=pixels.device) < 0.5
            pixels = torch.where(mirrored, pixels.flip(-1), pixels)
        return super().batch({**tensors, VALUES: pixels})

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.float().mul_(2 / 255).sub_(1)

    def unscale(self, values: Tensor) -> Tensor:
        return values.float().add(1).mul(255 / 2).round().clamp(0, 255).byte()

    def deterministic(self) -> Self:
        """Not mirrored, and whole."""
        return replace(self, flip=False, crop=0.0)

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.generic]:  # noqa: ARG002
        pixels: NDArray[np.generic] = self.unscale(samples[VALUES]).permute(0, 2, 3, 1).cpu().numpy()
        return pixels

    def features(self, samples: Tensors) -> Tensor:
        return patches(samples[VALUES])

    def preview(self, samples: Samples) -> Image.Image:
        return sheet(samples.items, columns_for(samples))

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return [as_image(pixels) for pixels in samples.items]

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer("", "", self._write_folder),
            Writer(".png", "image/png", write_png),
            Writer(".npz", "application/x-npz", lambda s, path: write_arrays(path, **labeled_arrays(s, "images"))),
        )

    def as_json(self, samples: Samples) -> dict[str, Any]:
        return {"images": [base64_png(as_image(pixels)) for pixels in samples.items]}

    def _write_folder(self, samples: Samples, folder: Path) -> None:
        """One file per sample, in a sub-folder per class where there are labels."""
        digits = len(str(len(samples) - 1))
        for i, pixels in enumerate(samples.items):
            place = folder if samples.labels is None else folder / component(self.classes[samples.labels[i]])
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.squeeze()).save(place / f"{i:0{digits}}.png")


def looks(pictures: FileSource) -> list[Look]:
    """What some of the pictures are like, spread evenly over all."""
    wanted = set(range(0, len(pictures), max(1, len(pictures) // LOOKED_AT)))
    with ThreadPoolExecutor() as pool:
        found = [seen for _, seen in each(pictures, look, pool, wanted)]
    seen = [f for f in found if isinstance(f, Look)]
    if not seen:
        why = next(f.why for f in found if isinstance(f, Unreadable))
        first = pictures.names[min(wanted)]
        raise InputError(f"{pictures.path}: none of its pictures can be read ({first}: {why}); repair or replace them")
    return seen


def cropped(pixels: Tensor, size: int) -> Tensor:
    """A square cut out of each picture (n, c, h, h) at a place of its own: (n, c, size, size)."""
    n, channels, side, _ = pixels.shape
    place = torch.randint(side - size + 1, (2, n, 1), device=pixels.device)
    rows, columns = place + torch.arange(size, device=pixels.device)  # (n, size) each
    by_row = pixels.gather(2, rows[:, None, :, None].expand(n, channels, size, side))
    return by_row.gather(3, columns[:, None, None, :].expand(n, channels, size, size))
