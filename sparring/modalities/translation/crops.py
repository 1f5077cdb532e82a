"""Square crops of images of any size, at their original scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data.classes import printable
from sparring.data.items import Items
from sparring.data.sources import Content, Unreadable, map_files
from sparring.data.store import Progress
from sparring.modalities.images.decoding import decoded, loaded, to_array
from sparring.modalities.images.depth import Levels

MAX_BYTES = 2**30  # of the crops of a data set; with more images, fewer crops of each are stored


@dataclass(frozen=True)
class Crops:
    """The crops of one image.

    Attributes:
        height, width: of the image.
        pixels: uint8 (n, channels, side, side).
    """

    height: int
    width: int
    pixels: NDArray[np.uint8]


def crops_of(image: NDArray[np.uint8], side: int, size: int, limit: int, index: int = 0) -> Crops:
    """Evenly spaced crops of an image (channels, h, w), such that every square of `size` pixels in the image is part of
    at least one of them; a random subset if these are more than `limit`. Smaller images are mirrored at their borders.

    Args:
        side: height and width of the crops.
        size: height and width of the squares that are later taken from them.
        index: of the image; the same subset is used for images with equal indices and sizes, such as those of a pair.
    """
    _, height, width = image.shape
    missing = [max(0, side - length) for length in (height, width)]
    if any(missing):
        image = np.pad(image, [(0, 0), *((m // 2, m - m // 2) for m in missing)], mode="symmetric")
    tops, lefts = (_starts(length, side, size) for length in image.shape[1:])
    corners = [(top, left) for top in tops for left in lefts]
    if len(corners) > limit:
        chosen = np.random.default_rng([index, *image.shape[1:]]).choice(len(corners), limit, replace=False)
        corners = [corners[i] for i in sorted(chosen)]
    return Crops(height, width, np.stack([image[:, t : t + side, b : b + side] for t, b in corners]))


def _starts(length: int, side: int, size: int) -> list[int]:
    room = length - side
    count = 1 + -(-room // max(1, side - size)) if room else 1
    return sorted({int(start) for start in np.linspace(0, room, count).round()})


def crop_all(
    items: Items,
    channels: NDArray[np.int64],
    side: int,
    size: int,
    progress: Progress,
    levels: Sequence[Levels],
    halves: bool = False,
) -> tuple[dict[int, Crops], tuple[tuple[str, str], ...]]:
    """The crops of all images that can be read, by index; and the names of the others, with the reason.

    Args:
        channels: of each image, (n,); 0 for an image that is not needed.
        levels: the values that become black and white in each image, (n,).
        halves: True to place the channels of the right half of each image after those of the left half.
    """
    wanted = np.flatnonzero(channels)
    limit = max(1, MAX_BYTES // int(max(1, len(wanted)) * channels.max() * side**2))
    crops: dict[int, Crops] = {}
    skipped: list[tuple[str, str]] = []
    if isinstance(items.items, np.ndarray):
        for i in wanted.tolist():
            crops[i] = crops_of(_from_array(items.items[i], int(channels[i])), side, size, limit)
            progress(len(crops), len(wanted))
        return crops, ()
    with ThreadPoolExecutor() as pool:
        work = partial(_read, side=side, size=size, limit=limit, halves=halves)
        alike: dict[tuple[int, Levels], set[int]] = {}
        for i in wanted.tolist():
            alike.setdefault((int(channels[i]), levels[i]), set()).add(i)
        for (count, depth), same in alike.items():
            for i, result in map_files(items.items, partial(work, channels=count, levels=depth), pool, same):
                if isinstance(result, Unreadable):
                    skipped.append((printable(items.items.names[i]), result.why))
                else:
                    crops[i] = result
                progress(len(crops) + len(skipped), len(wanted))
    return crops, tuple(skipped)


def _read(
    content: Content, channels: int, levels: Levels, side: int, size: int, limit: int, halves: bool
) -> Crops | Unreadable:
    with decoded(content, levels) as image:
        pixels = _pixels(image, channels, halves)
        return pixels if isinstance(pixels, Unreadable) else crops_of(pixels, side, size, limit)


def _pixels(image: Image.Image | Unreadable, channels: int, halves: bool) -> NDArray[np.uint8] | Unreadable:
    """A whole image (channels, h, w), or its two halves as (2 channels, h, w / 2)."""
    if isinstance(image, Unreadable):
        return image
    if halves and image.width != 2 * image.height:
        return Unreadable(f"{image.width} x {image.height} pixels are not two square halves")
    pixels = to_array(image, channels)
    return np.concatenate(np.split(pixels, 2, axis=2)) if halves else pixels


def _from_array(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """An image (h, w) or (h, w, c) as (channels, h, w)."""
    return to_array(Image.fromarray(pixels.squeeze(-1) if pixels.shape[2:] == (1,) else pixels), channels)


def whole_images(
    items: Items, channels: int, wanted: Sequence[int], levels: Levels, halves: bool = False
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Index and pixels, uint8 (channels, h, w), of the whole images that can be read.

    Args:
        levels: the values that become black and white.
        halves: as for `crop_all`.
    """
    if isinstance(items.items, np.ndarray):
        for i in wanted:
            yield i, _from_array(items.items[i], channels)
        return
    for i, content in items.items.contents(set(wanted)):
        pixels = _pixels(loaded(content, levels), channels, halves)
        if not isinstance(pixels, Unreadable):
            yield i, pixels
