"""The palette of a set of images: the few colors that pixel art consists of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.sources import Content, FileSource, Unreadable, map_files
from sparring.modalities.images.decoding import decoded, to_array
from sparring.modalities.images.depth import Levels

MAX_COLORS = 4096  # of a palette
MAX_IMAGES = 1024  # whose colors are looked at
MAX_SOFT = 0.01  # share of half transparent pixels below which alpha is binary
CHUNK = 8192  # colors whose nearest ones are found together
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Palette:
    """The colors of images.

    Attributes:
        colors: each as six hexadecimal digits, one after the other; "" if there are too many.
        binary: True if pixels are either opaque or transparent.
    """

    colors: str = ""
    binary: bool = False

    @classmethod
    def of(cls, images: FileSource | Pixels, side: int, channels: int, levels: Levels) -> Palette:
        """The palette of images of one size, up to 1,024 of them, evenly spaced.

        Args:
            images: files, or (n, h, w, c).
            side: height and width of all of them: others would be resized, which makes new colors.
            channels: 3, or 4 with alpha; images with one channel have no palette.
        """
        if channels < 3:
            return cls()
        if isinstance(images, FileSource):
            return _of_files(images, images.modified, side, channels, levels)
        colors: set[int] = set()
        chosen = images[:: max(1, len(images) // MAX_IMAGES)]
        for pixels in chosen if images.shape[1:3] == (side, side) else ():
            colors |= _colors(pixels)[0]
            if len(colors) > MAX_COLORS:
                break
        soft = float(((chosen[..., 3] > 0) & (chosen[..., 3] < 255)).mean()) if channels == 4 else 0.0
        return _palette(colors, channels, soft)

    def snap(self, pixels: Pixels) -> Pixels:
        """Images (n, h, w, c) with every color replaced by the nearest of the palette."""
        palette = torch.tensor(list(bytes.fromhex(self.colors))).view(-1, 3).float()
        colors, place = np.unique(pixels[..., :3].reshape(-1, 3), axis=0, return_inverse=True)
        parts = torch.split(torch.from_numpy(colors).float(), CHUNK)
        nearest = torch.cat([palette[torch.cdist(part, palette).argmin(1)] for part in parts]).byte().numpy()
        snapped = pixels.copy()
        snapped[..., :3] = nearest[place.reshape(-1)].reshape(*pixels.shape[:3], 3)
        if self.binary:
            snapped[..., 3] = np.where(pixels[..., 3] < 128, 0, 255)
            snapped[snapped[..., 3] == 0] = 0
        return snapped


@lru_cache(maxsize=8)  # a data set is fitted several times
def _of_files(images: FileSource, modified: str, side: int, channels: int, levels: Levels) -> Palette:  # noqa: ARG001
    wanted = set(range(0, len(images), max(1, len(images) // MAX_IMAGES)))
    colors: set[int] = set()
    soft, seen = 0, 0
    with ThreadPoolExecutor() as pool:
        read = partial(_read, side=side, channels=channels, levels=levels)
        for _, result in map_files(images, read, pool, wanted):
            if result is None:
                continue
            colors |= result[0]
            soft, seen = soft + result[1], seen + side * side
            if len(colors) > MAX_COLORS:
                break
    return _palette(colors, channels, soft / max(1, seen))


def _read(content: Content, side: int, channels: int, levels: Levels) -> tuple[set[int], int] | None:
    """Colors and number of half transparent pixels of a file; None if it cannot be read."""
    with decoded(content, levels) as image:
        if isinstance(image, Unreadable):
            return None
        if image.size != (side, side):
            return set(range(MAX_COLORS + 1)), 0
        return _colors(to_array(image, channels).transpose(1, 2, 0))


def _colors(pixels: Pixels) -> tuple[set[int], int]:
    """Colors of the visible pixels of an image (h, w, c), and number of half transparent ones."""
    alpha = pixels[..., 3] if pixels.shape[-1] == 4 else np.full(pixels.shape[:2], 255)
    red, green, blue = (pixels[..., i][alpha > 0].astype(np.int64) for i in range(3))
    return set(np.unique(red << 16 | green << 8 | blue).tolist()), int(((alpha > 0) & (alpha < 255)).sum())


def _palette(colors: set[int], channels: int, soft: float) -> Palette:
    if not 0 < len(colors) <= MAX_COLORS:
        return Palette()
    return Palette("".join(f"{color:06x}" for color in sorted(colors)), channels == 4 and soft < MAX_SOFT)
