"""Nets from pictures to pictures, applied to pictures of any size in memory that does not grow with their height."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

INNER = 768  # output pixels of a side of a tile whose surroundings the net sees too
FARTHEST = 96  # input pixels around a tile, at most: deep nets see farther, but hardly anything
WHOLE = 1024  # squared, output pixels up to which a net that looks at the whole picture gets it whole
OVERLAP = 4  # the part of such a net's tile, one in so many, that it shares with the next
LEAST = 16  # input pixels of a side: nets that reflect at borders need some to reflect

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Mapper:
    """A net from pictures to pictures, for pictures of any size.

    Attributes:
        net: (n, channels, h, w) in [-1, 1] -> (n, made, times * h, times * w) in [-1, 1], in evaluation mode.
        channels: of what it takes, the mask included where it takes one.
        made: channels of what it gives.
        times: output pixels per input pixel along a side.
        stride: sides of what it takes are multiples of this; others are padded by reflection, and what is made of
            the padding is cut.
        reach: in input pixels; an output pixel depends on no input pixel farther away. None where it depends on the
            whole picture, as with instance norm.
        masked: whether the last channel of what it takes is a mask, 1 where pixels are to be filled and -1
            elsewhere. What lies under it is for the net to hide. Such a net has times = 1 and made = channels - 1.
        device: where the net's weights are.
    """

    net: Callable[[Tensor], Tensor]
    channels: int
    made: int
    times: int = 1
    stride: int = 1
    reach: int | None = 0
    masked: bool = False
    device: torch.device = torch.device("cpu")


@dataclass(frozen=True)
class Span:
    """What a tile takes of a side of the input, and how much it says about each of the output's pixels.

    Attributes:
        start, stop: input pixels, multiples of the stride.
        weights: (times * (stop - start),); those of all spans add up to 1 at every pixel.
    """

    start: int
    stop: int
    weights: Tensor


def bands(mapper: Mapper, picture: Picture, progress: Callable[[int, int], None] | None = None) -> Iterator[Picture]:
    """What a net makes of a picture, as `mapped` gives it, in bytes: (rows, times * w, made), from top to bottom."""
    for band in mapped(mapper, picture, progress):
        yield as_bytes(band)


def as_bytes(x: Tensor) -> Picture:
    """(channels, h, w) in [-1, 1] as a picture (h, w, channels)."""
    levels = x.add(1).mul_(127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def as_input(picture: Picture) -> Tensor:
    """A picture (h, w, channels) as (1, channels, h, w) in [-1, 1]."""
    x = torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32, order="C"))
    return x[None].div_(127.5).sub_(1)


def mapped(mapper: Mapper, picture: Picture, progress: Callable[[int, int], None] | None = None) -> Iterator[Tensor]:
    """What a net makes of a picture, tile by tile.

    A tile of a net of known reach comes with the pixels around it that its own depend on, up to 96, but for those
    beyond the picture's borders, so that the result is that of the whole picture at once. A net that depends on the
    whole picture gets it whole while that has up to 1,048,576 output pixels; of larger ones it gets overlapping
    tiles, which are blended linearly where they overlap, and the result is then not that of the whole.

    Args:
        picture: (h, w, channels) uint8, each at least 1; the mask, where there is one, is 255 or 0.
        progress: told how many tiles are done, of how many.

    Yields:
        (made, rows, times * w) float32 in about [-1, 1] on the CPU, from top to bottom, times * h rows in all.
    """
    height, width, times = *picture.shape[:2], mapper.times
    picture = _padded(picture, mapper.stride)
    downwards, across = (_spans(length, picture.shape[:2], mapper) for length in picture.shape[:2])
    begins = [*(span.start for span in downwards), height]
    rest = torch.zeros(mapper.made, 0, width * times)
    for row, (down, (begin, end)) in enumerate(zip(downwards, pairwise(begins), strict=True)):
        band = torch.zeros(mapper.made, len(down.weights), width * times)
        band[:, : rest.shape[1]] = rest
        for column, right in enumerate(across):
            made = _tile(mapper, picture[down.start : down.stop, right.start : right.stop])
            made *= down.weights[:, None] * right.weights
            place = band[:, :, right.start * times : right.stop * times]
            place += made[:, :, : place.shape[2]]
            if progress is not None:
                progress(row * len(across) + column + 1, len(downwards) * len(across))
        rest = band[:, (end - begin) * times :].clone()  # a copy, so that the band is freed once it is used
        if end > begin:  # a halo larger than a tile may reach back to the top
            yield band[:, : (end - begin) * times]


def _tile(mapper: Mapper, picture: Picture) -> Tensor:
    """(made, times * h, times * w) of (h, w, channels)."""
    with torch.no_grad():
        return mapper.net(as_input(picture).to(mapper.device))[0].float().cpu()


def _padded(picture: Picture, stride: int) -> Picture:
    """Continued by reflection to the right and below, to the next multiples of the stride."""
    height, width = (-max(side, LEAST) // stride * -stride for side in picture.shape[:2])
    more = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
    return np.pad(picture, more, "reflect") if (height, width) != picture.shape[:2] else picture


def _spans(length: int, sides: tuple[int, ...], mapper: Mapper) -> list[Span]:
    """The tiles along a side of a picture."""
    if mapper.reach is not None:
        return _surrounded(length, mapper, mapper.reach)
    whole = sides[0] * sides[1] * mapper.times**2 <= WHOLE**2
    return [Span(0, length, torch.ones(length * mapper.times))] if whole else _blended(length, mapper)


def _surrounded(length: int, mapper: Mapper, reach: int) -> list[Span]:
    """Tiles of which only the inner part counts."""
    side, halo = _strides(INNER, mapper), -min(reach, FARTHEST) // mapper.stride * -mapper.stride
    spans = []
    for begin in range(0, length, side):
        end = min(begin + side, length)
        start, stop = max(0, begin - halo), min(length, end + halo)
        at = torch.arange(start, stop).repeat_interleave(mapper.times)
        spans.append(Span(start, stop, ((at >= begin) & (at < end)).float()))
    return spans


def _blended(length: int, mapper: Mapper) -> list[Span]:
    """Tiles that count less and less towards the ends that they share."""
    side = min(_strides(WHOLE, mapper), length)
    step = max(mapper.stride, (side - side // OVERLAP) // mapper.stride * mapper.stride)
    starts = [*range(0, length - side, step), length - side]
    inward = torch.arange(side * mapper.times) + 0.5
    window = torch.minimum(inward, inward.flip(0)).clamp(max=max(1, side - step) * mapper.times)
    total = torch.zeros(length * mapper.times)
    places = [slice(start * mapper.times, (start + side) * mapper.times) for start in starts]
    for place in places:
        total[place] += window
    return [Span(start, start + side, window / total[place]) for start, place in zip(starts, places, strict=True)]


def _strides(pixels: int, mapper: Mapper) -> int:
    """So many output pixels as input pixels, a multiple of the stride."""
    return max(mapper.stride, pixels // mapper.times // mapper.stride * mapper.stride)
