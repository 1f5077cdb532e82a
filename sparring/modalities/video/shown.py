"""Frames with the times at which they are shown, brought to one rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image

CENTER = 0.4  # of an interval: where it is decided which frame is shown in it, away from the borders of most frames


@dataclass(frozen=True)
class Shown:
    """A frame.

    Attributes:
        begin, end: in seconds since the first frame.
        image: in mode L, RGB or RGBA.
    """

    begin: float
    end: float
    image: Image.Image


def until_next(timed: Iterable[tuple[float, Image.Image]], last: float) -> Iterator[Shown]:
    """Frames that are shown until the next one begins.

    Args:
        timed: when each frame begins, and the frame.
        last: seconds for which the last one is shown.
    """
    before: tuple[float, Image.Image] | None = None
    for begin, image in timed:
        if before is not None:
            yield Shown(before[0], max(begin, before[0]), before[1])
        before = begin, image
    if before is not None:
        yield Shown(before[0], before[0] + last, before[1])


def at_rate(frames: Iterable[Shown], rate: float) -> Iterator[Image.Image]:
    """The frame that is shown in each interval of 1 / rate seconds. A frame that is shown for several intervals is
    repeated, and one that is shown for less than one may be left out.
    """
    i = 0
    for frame in frames:
        while (i + CENTER) / rate < frame.end:
            yield frame.image
            i += 1
