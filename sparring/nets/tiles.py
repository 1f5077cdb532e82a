"""Image-to-image nets on images of any size, in memory that does not grow with their height."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TILE_SIDE = 768  # output pixels of a tile, without its halo
MAX_HALO = 96  # input pixels around a tile: the influence of more distant pixels on deep nets is negligible
MAX_WHOLE_SIDE = 1024  # squared: output pixels of the largest image that a net without a `reach` gets as a whole
OVERLAP_DIVISOR = 4  # side of such a net's tile / its overlap with the next
MIN_SIDE = 16  # input pixels: nets that reflect at borders need this many

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Mapper:
    """An image-to-image net, to be applied to images of any size.

    Attributes:
        net: (n, channels, h, w) in [-1, 1] -> (n, out_channels, times * h, times * w) in [-1, 1], in evaluation mode.
        channels: of the input, including the mask if there is one.
        out_channels: of the output.
        times: output pixels per input pixel along a side.
        stride: sides of the net's input must be multiples of this; other images are padded by reflection, and the
            output is cropped.
        reach: distance in input pixels beyond which an output pixel depends on nothing. None if it depends on the
            whole image, as with instance norm.
        masked: True if the last input channel is a mask, 1 where pixels are to be filled and -1 elsewhere. The net
            itself ignores the values under the mask. Such a net has times = 1 and out_channels = channels - 1.
        device: of the net's weights.
    """

    net: Callable[[Tensor], Tensor]
    channels: int
    out_channels: int
    times: int = 1
    stride: int = 1
    reach: int | None = 0
    masked: bool = False
    device: torch.device = torch.device("cpu")


@dataclass(frozen=True)
class Span:
    """Extent of a tile along one side of the input, and its weight at each output pixel.

    Attributes:
        start, stop: input pixels, multiples of the stride.
        weights: (times * (stop - start),); those of all spans add up to 1 at every pixel.
    """

    start: int
    stop: int
    weights: Tensor


def bands(mapper: Mapper, image: Pixels, progress: Callable[[int, int], None] | None = None) -> Iterator[Pixels]:
    """The output of a net for an image, as from `mapped`, in bytes: (rows, times * w, out_channels), from top to
    bottom.
    """
    for band in mapped(mapper, image, progress):
        yield as_bytes(band)


def as_bytes(x: Tensor) -> Pixels:
    """(channels, h, w) in [-1, 1] as an image (h, w, channels)."""
    levels = x.add(1).mul_(127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def as_input(image: Pixels) -> Tensor:
    """An image (h, w, channels) as (1, channels, h, w) in [-1, 1]."""
    x = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32, order="C"))
    return x[None].div_(127.5).sub_(1)


def mapped(mapper: Mapper, image: Pixels, progress: Callable[[int, int], None] | None = None) -> Iterator[Tensor]:
    """The output of a net for an image, computed tile by tile.

    If the net's reach is known, a tile includes the surrounding pixels on which its output depends, at most 96, so that
    the result is equal to that for the whole image at once. A net that depends on the whole image gets it as a whole up
    to 1,048,576 output pixels; larger images are split into overlapping tiles that are blended linearly, and the result
    then differs from that for the whole image.

    Args:
        image: (h, w, channels) uint8, each at least 1; the mask, if there is one, is 255 or 0.
        progress: called with the number of finished tiles and their total.

    Yields:
        (out_channels, rows, times * w) float32 in about [-1, 1] on the CPU, from top to bottom, times * h rows in all.
    """
    height, width, times = *image.shape[:2], mapper.times
    image = _padded(image, mapper.stride)
    down_spans, right_spans = (_spans(length, image.shape[:2], mapper) for length in image.shape[:2])
    begins = [*(span.start for span in down_spans), height]
    rest = torch.zeros(mapper.out_channels, 0, width * times)
    for row, (down, (begin, end)) in enumerate(zip(down_spans, pairwise(begins), strict=True)):
        band = torch.zeros(mapper.out_channels, len(down.weights), width * times)
        band[:, : rest.shape[1]] = rest
        for column, right in enumerate(right_spans):
            tile = _tile(mapper, image[down.start : down.stop, right.start : right.stop])
            tile *= down.weights[:, None] * right.weights
            target = band[:, :, right.start * times : right.stop * times]
            target += tile[:, :, : target.shape[2]]
            if progress is not None:
                progress(row * len(right_spans) + column + 1, len(down_spans) * len(right_spans))
        rest = band[:, (end - begin) * times :].clone()  # a copy, so that the band is freed after use
        if end > begin:  # spans with a halo larger than a tile may all start at 0
            yield band[:, : (end - begin) * times]


def _tile(mapper: Mapper, image: Pixels) -> Tensor:
    """(out_channels, times * h, times * w) of (h, w, channels)."""
    with torch.no_grad():
        return mapper.net(as_input(image).to(mapper.device))[0].float().cpu()


def _padded(image: Pixels, stride: int) -> Pixels:
    """Padded by reflection at the right and at the bottom, to the next multiples of the stride."""
    height, width = (-max(side, MIN_SIDE) // stride * -stride for side in image.shape[:2])
    margins = ((0, height - image.shape[0]), (0, width - image.shape[1]), (0, 0))
    return np.pad(image, margins, "reflect") if (height, width) != image.shape[:2] else image


def _spans(length: int, sides: tuple[int, ...], mapper: Mapper) -> list[Span]:
    """The tiles along a side of an image."""
    if mapper.reach is not None:
        return _spans_with_halo(length, mapper, mapper.reach)
    whole = sides[0] * sides[1] * mapper.times**2 <= MAX_WHOLE_SIDE**2
    return [Span(0, length, torch.ones(length * mapper.times))] if whole else _blended_spans(length, mapper)


def _spans_with_halo(length: int, mapper: Mapper, reach: int) -> list[Span]:
    """Tiles whose weight is 1 in their inner part and 0 in their halo."""
    side, halo = _input_side(TILE_SIDE, mapper), -min(reach, MAX_HALO) // mapper.stride * -mapper.stride
    spans = []
    for begin in range(0, length, side):
        end = min(begin + side, length)
        start, stop = max(0, begin - halo), min(length, end + halo)
        at = torch.arange(start, stop).repeat_interleave(mapper.times)
        spans.append(Span(start, stop, ((at >= begin) & (at < end)).float()))
    return spans


def _blended_spans(length: int, mapper: Mapper) -> list[Span]:
    """Overlapping tiles whose weights fall linearly toward their ends."""
    side = min(_input_side(MAX_WHOLE_SIDE, mapper), length)
    step = max(mapper.stride, (side - side // OVERLAP_DIVISOR) // mapper.stride * mapper.stride)
    starts = [*range(0, length - side, step), length - side]
    inward = torch.arange(side * mapper.times) + 0.5
    window = torch.minimum(inward, inward.flip(0)).clamp(max=max(1, side - step) * mapper.times)
    total = torch.zeros(length * mapper.times)
    slices = [slice(start * mapper.times, (start + side) * mapper.times) for start in starts]
    for part in slices:
        total[part] += window
    return [Span(start, start + side, window / total[part]) for start, part in zip(starts, slices, strict=True)]


def _input_side(output_pixels: int, mapper: Mapper) -> int:
    """Input pixels of a side of a tile: a multiple of the stride that has about this many output pixels."""
    return max(mapper.stride, output_pixels // mapper.times // mapper.stride * mapper.stride)
