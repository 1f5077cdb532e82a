"""One pass over all pictures: what each is like, and a few numbers to compare it with the others by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data import Items
from sparring.data.sources import Content, Unreadable, map_files
from sparring.data.store import Progress
from sparring.modalities.images.decoding import Header, examine, loaded, needed_channels

THUMB = 16  # pixels of a thumbnail's side


@dataclass(frozen=True)
class Measured:
    """A picture that could be read.

    Attributes:
        look: size, format, mode, channels.
        hash: 64 bits that similar pictures share: whether the right neighbour of each of 8 x 8 places is
            brighter (dHash, Krawetz 2013).
        thumb: (16, 16) in grey, uint8.
        colour: mean red, green and blue.
    """

    look: Header
    hash: int
    thumb: NDArray[np.uint8]
    colour: tuple[float, float, float]


def measure(items: Items, progress: Progress) -> list[Measured | Unreadable]:
    """Every picture of a set, in order."""
    if isinstance(items.items, np.ndarray):
        found: list[Measured | Unreadable] = []
        for pixels in items.items:
            picture = Image.fromarray(pixels.squeeze())
            seen = Header(*picture.size, "array", picture.mode, needed_channels(picture), 1)
            found.append(_measured(seen, picture))
            progress(len(found), len(items))
        return found
    placed: dict[int, Measured | Unreadable] = {}
    with ThreadPoolExecutor() as pool:
        for i, measured in map_files(items.items, _of_file, pool):
            placed[i] = measured
            progress(len(placed), len(items))
    gone = Unreadable("no longer there")
    return [placed.get(i, gone) for i in range(len(items))]


def _of_file(content: Content) -> Measured | Unreadable:
    seen, picture = examine(content), loaded(content)
    if isinstance(seen, Unreadable):
        return seen
    assert isinstance(picture, Image.Image)  # whatever can be looked at has been loaded
    return _measured(seen, picture)


def _measured(seen: Header, picture: Image.Image) -> Measured:
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    grey, colour = picture.convert("L"), picture.convert("RGB")
    places = np.asarray(grey.resize((9, 8), Image.Resampling.BOX), np.int16)
    bits = np.packbits(places[:, 1:] > places[:, :-1])
    thumb = np.asarray(grey.resize((THUMB, THUMB), Image.Resampling.BOX), np.uint8)
    red, green, blue = np.asarray(colour.resize((1, 1), Image.Resampling.BOX), float)[0, 0]
    return Measured(seen, int.from_bytes(bits.tobytes(), "big"), thumb, (red, green, blue))
