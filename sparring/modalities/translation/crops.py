"""Squares that are cut out of pictures of any size, at the scale that these have."""

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
from sparring.modalities.images.decoding import loaded, to_array

MEMORY = 2**30  # bytes of squares of a set, at most; of larger ones fewer are cut out of each picture


@dataclass(frozen=True)
class Cut:
    """The squares of a picture.

    Attributes:
        height, width: of the picture.
        squares: uint8 (n, channels, side, side).
    """

    height: int
    width: int
    squares: NDArray[np.uint8]


def cut(picture: NDArray[np.uint8], side: int, size: int, most: int, which: int = 0) -> Cut:
    """Squares of a picture (channels, h, w), spread evenly, so that every square of `size` within the picture lies in
    one of them; some by chance where these are more than `most`. A smaller picture is mirrored at its borders.

    Args:
        which: of the pictures it is; the same squares are cut out of both of a pair.
    """
    _, height, width = picture.shape
    missing = [max(0, side - length) for length in (height, width)]
    if any(missing):
        picture = np.pad(picture, [(0, 0), *((m // 2, m - m // 2) for m in missing)], mode="symmetric")
    tops, lefts = (_places(length, side, size) for length in picture.shape[1:])
    corners = [(top, left) for top in tops for left in lefts]
    if len(corners) > most:
        chosen = np.random.default_rng([which, *picture.shape[1:]]).choice(len(corners), most, replace=False)
        corners = [corners[i] for i in sorted(chosen)]
    return Cut(height, width, np.stack([picture[:, t : t + side, b : b + side] for t, b in corners]))


def _places(length: int, side: int, size: int) -> list[int]:
    room = length - side
    many = 1 + -(-room // max(1, side - size)) if room else 1
    return sorted({int(place) for place in np.linspace(0, room, many).round()})


def cut_all(
    items: Items, channels: NDArray[np.int64], side: int, size: int, progress: Progress, halves: bool = False
) -> tuple[dict[int, Cut], tuple[tuple[str, str], ...]]:
    """The squares of all pictures that can be read, by index; and names of the others, and why.

    Args:
        channels: of each picture, (n,); 0 for one that is not wanted.
        halves: whether the left and the right half of each picture are laid upon one another, with their channels one
            after the other.
    """
    wanted = np.flatnonzero(channels)
    most = max(1, MEMORY // int(max(1, len(wanted)) * channels.max() * side**2))
    found: dict[int, Cut] = {}
    skipped: list[tuple[str, str]] = []
    if isinstance(items.items, np.ndarray):
        for i in wanted.tolist():
            found[i] = cut(_of_array(items.items[i], int(channels[i])), side, size, most)
            progress(len(found), len(wanted))
        return found, ()
    with ThreadPoolExecutor() as pool:
        work = partial(_read, side=side, size=size, most=most, halves=halves)
        for count in np.unique(channels[wanted]):
            same = {int(i) for i in np.flatnonzero(channels == count)}
            for i, picture in map_files(items.items, partial(work, channels=int(count)), pool, same):
                if isinstance(picture, Unreadable):
                    skipped.append((printable(items.items.names[i]), picture.why))
                else:
                    found[i] = picture
                progress(len(found) + len(skipped), len(wanted))
    return found, tuple(skipped)


def _read(content: Content, channels: int, side: int, size: int, most: int, halves: bool) -> Cut | Unreadable:
    pixels = _pixels(content, channels, halves)
    return pixels if isinstance(pixels, Unreadable) else cut(pixels, side, size, most)


def _pixels(content: Content, channels: int, halves: bool) -> NDArray[np.uint8] | Unreadable:
    """A whole picture (channels, h, w), or its halves upon one another, (2 channels, h, w / 2)."""
    picture = loaded(content)
    if isinstance(picture, Unreadable):
        return picture
    if halves and picture.width != 2 * picture.height:
        return Unreadable(f"{picture.width} x {picture.height} pixels are no two halves")
    pixels = to_array(picture, channels)
    return np.concatenate(np.split(pixels, 2, axis=2)) if halves else pixels


def _of_array(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """A picture (h, w) or (h, w, c) with so many channels, (channels, h, w)."""
    return to_array(Image.fromarray(pixels.squeeze(-1) if pixels.shape[2:] == (1,) else pixels), channels)


def wholes(
    items: Items, channels: int, wanted: Sequence[int], halves: bool = False
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Whole pictures, uint8 (channels, h, w), by index: those that can be read.

    Args:
        halves: as for `cut_all`.
    """
    if isinstance(items.items, np.ndarray):
        for i in wanted:
            yield i, _of_array(items.items[i], channels)
        return
    for i, content in items.items.contents(set(wanted)):
        pixels = _pixels(content, channels, halves)
        if not isinstance(pixels, Unreadable):
            yield i, pixels
