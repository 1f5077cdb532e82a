"""What happens to pictures on their way, under which watermarks and detectors are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from sparring.layers.degrade import pixels

Degradation = Callable[[Tensor], Tensor]


def values(levels: Tensor) -> Tensor:
    """Pictures (n, c, h, w), uint8, in [-1, 1]."""
    return levels.float() * pixels.LEVEL - 1


def as_bytes(values: Tensor) -> Tensor:
    """Values in [-1, 1] as a file holds them."""
    return ((values.clamp(-1, 1).cpu() + 1) / pixels.LEVEL).round().byte()


def crop(x: Tensor, share: float) -> Tensor:
    """Pictures (n, c, h, w) without a share of each side, at a random place."""
    kept = [max(1, round(side * (1 - share))) for side in x.shape[-2:]]
    top, left = (int(torch.randint(0, side - k + 1, ())) for side, k in zip(x.shape[-2:], kept, strict=True))
    return x[..., top : top + kept[0], left : left + kept[1]]


def half(x: Tensor) -> Tensor:
    return pixels.quantize(pixels.downscale(x, 2).clamp(-1, 1))


# Each on its own, not one after the other.
DEGRADATIONS: Mapping[str, Degradation] = {
    "clean": lambda x: x,
    "JPEG 75": lambda x: pixels.compress(x, 75, 75),
    "half size": half,
    "5% crop": lambda x: crop(x, 0.05),
}
