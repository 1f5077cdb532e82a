"""Pictures of one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.modalities.modality import Modality, Samples, arrays, columns_for
from sparring.writing import beside

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
LARGEST = 64  # pixels that pictures of many sizes are brought to, at most, unless told
LOOKED_AT = 256  # files that are opened to find size and channels
SHEET = 640  # pixels that a sheet of small pictures is enlarged towards


@dataclass(frozen=True)
class Images(Modality):
    """Square pictures; nets see (channels, size, size) in [-1, 1].

    Attributes:
        size: height and width in pixels; 0 to choose it from the data.
        channels: 1 grey, 3 colour, 4 colour and alpha; 0 to choose it from the data.
    """

    kind: ClassVar[str] = "images"
    suffixes: ClassVar[tuple[str, ...]] = ("", ".png", ".npz")

    size: int = 0
    channels: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.size, self.size)

    def fit(self, items: Items) -> Self:
        if isinstance(items.items, np.ndarray):
            height, width, *rest = items.items.shape[1:]
            sides, channels = {min(height, width)}, (rest or [1])[0]
        else:
            pictures = [_open(path) for path in items.items[:: max(1, len(items) // LOOKED_AT)]]
            sides = {min(picture.size) for picture in pictures}
            channels = max(_channels(picture) for picture in pictures)
        size = self.size or (next(iter(sides)) if len(sides) == 1 else 0)
        if not size or (not self.size and size > LARGEST):
            size = min(LARGEST, 2 ** int(np.log2(np.median(list(sides)))))
        fitted = replace(self, size=size, channels=self.channels or channels)
        return fitted.fit_classes(items)

    def encode(self, items: Items) -> Tensor:
        """Pictures as uint8, (n, channels, size, size), cut to squares about their middle."""
        pictures = items.items
        if isinstance(pictures, np.ndarray) and pictures.shape[1:3] == (self.size, self.size):
            stacked = pictures.reshape(len(pictures), self.size, self.size, -1)
            if stacked.shape[-1] == self.channels:
                return torch.from_numpy(stacked.transpose(0, 3, 1, 2).astype(np.uint8, copy=True))
        made = np.empty((len(pictures), *self.shape), np.uint8)
        for i, item in enumerate(pictures):
            picture = Image.fromarray(item) if isinstance(item, np.ndarray) else _open(item)
            made[i] = self._squared(picture)
        return torch.from_numpy(made)

    def _squared(self, picture: Image.Image) -> NDArray[np.uint8]:
        name = getattr(picture, "filename", "a picture")
        try:
            picture = ImageOps.exif_transpose(picture).convert(MODES[self.channels])
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # PIL says broken PNGs so
            raise InputError(f"{name} cannot be read: {error}") from error
        if picture.size != (self.size, self.size):
            picture = ImageOps.fit(picture, (self.size, self.size), Image.Resampling.LANCZOS)
        pixels: NDArray[np.uint8] = np.asarray(picture, np.uint8).reshape(self.size, self.size, -1)
        return pixels.transpose(2, 0, 1)

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.float().mul_(2 / 255).sub_(1)

    def decode(self, samples: Tensor) -> NDArray[np.generic]:
        bytes_ = samples.float().add(1).mul(255 / 2).round().clamp(0, 255).byte()
        pixels: NDArray[np.generic] = bytes_.permute(0, 2, 3, 1).cpu().numpy()
        return pixels

    def preview(self, samples: Samples) -> Image.Image:
        return sheet(samples.items, columns_for(samples))

    def write(self, samples: Samples, path: Path) -> None:
        with beside(path) as part:
            if path.suffix == ".npz":
                with part.open("wb") as file:
                    np.savez_compressed(file, allow_pickle=False, **arrays(samples, "images"))
            elif path.suffix == ".png":
                samples.preview().save(part, "PNG")
            else:
                self._write_folder(samples, part)

    def _write_folder(self, samples: Samples, folder: Path) -> None:
        """One file per sample, in a sub-folder per class where there are labels."""
        digits = len(str(len(samples) - 1))
        for i, pixels in enumerate(samples.items):
            place = folder if samples.labels is None else folder / self.classes[samples.labels[i]]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.squeeze()).save(place / f"{i:0{digits}}.png")


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as a picture; remove it or repair it") from error


def _channels(picture: Image.Image) -> int:
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        return 4
    return 1 if picture.mode in ("1", "L", "I", "I;16", "F") else 3


def sheet(pictures: NDArray[np.uint8] | Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Pictures (n, h, w, c) side by side, small ones enlarged by whole pixels, alpha on white."""
    stacked = np.asarray(pictures)
    n, height, width, channels = stacked.shape
    if channels == 4:
        alpha = stacked[..., 3:] / 255
        stacked = np.round(stacked[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    rows = -(-n // columns)
    gap = 1
    page = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, stacked.shape[-1]), 255, np.uint8)
    for i, picture in enumerate(stacked):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        page[top : top + height, left : left + width] = picture
    image = Image.fromarray(page.squeeze(-1) if page.shape[-1] == 1 else page)
    times = max(1, SHEET // max(image.size))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
