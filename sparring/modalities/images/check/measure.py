"""One pass over all images: properties of each, and a few numbers to compare it with the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data.items import Items
from sparring.data.sources import Content, Unreadable, map_files
from sparring.data.store import Progress
from sparring.modalities.images.decoding import EXAMINED_SIDE, Header, decoded, described, needed_channels
from sparring.modalities.images.depth import Levels

THUMBNAIL = 16  # pixels of a thumbnail's side


@dataclass(frozen=True)
class Measured:
    """An image that can be read.

    Attributes:
        header: size, format, mode, channels.
        hash: 64 bits that similar images share: for each of 8 x 8 places, 1 if its right neighbor is brighter (dHash,
            Krawetz 2013).
        thumbnail: (16, 16), gray, uint8.
        color: mean red, green and blue.
    """

    header: Header
    hash: int
    thumbnail: NDArray[np.uint8]
    color: tuple[float, float, float]


def measure(items: Items, progress: Progress, levels: Levels = Levels()) -> list[Measured | Unreadable]:
    """All images of a set, in order.

    Args:
        levels: the values that become black and white.
    """
    if isinstance(items.items, np.ndarray):
        results: list[Measured | Unreadable] = []
        for pixels in items.items:
            image = Image.fromarray(pixels.squeeze())
            header = Header(*image.size, "array", image.mode, needed_channels(image), 1)
            results.append(_measure_image(header, image))
            progress(len(results), len(items))
        return results
    by_index: dict[int, Measured | Unreadable] = {}
    with ThreadPoolExecutor() as pool:
        for i, measured in map_files(items.items, partial(_measure_file, levels=levels), pool):
            by_index[i] = measured
            progress(len(by_index), len(items))
    gone = Unreadable("no longer there")
    return [by_index.get(i, gone) for i in range(len(items))]


def _measure_file(content: Content, levels: Levels) -> Measured | Unreadable:
    with decoded(content, levels, EXAMINED_SIDE) as image:
        return image if isinstance(image, Unreadable) else _measure_image(described(content, image), image)


def _measure_image(header: Header, image: Image.Image) -> Measured:
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    gray, color = image.convert("L"), image.convert("RGB")
    places = np.asarray(gray.resize((9, 8), Image.Resampling.BOX), np.int16)
    bits = np.packbits(places[:, 1:] > places[:, :-1])
    thumbnail = np.asarray(gray.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX), np.uint8)
    red, green, blue = np.asarray(color.resize((1, 1), Image.Resampling.BOX), float)[0, 0]
    return Measured(header, int.from_bytes(bits.tobytes(), "big"), thumbnail, (red, green, blue))
