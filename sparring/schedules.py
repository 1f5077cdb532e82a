"""How a hyperparameter goes from one value to another as a run proceeds."""

from __future__ import annotations

import math
from typing import TypeVar

from torch import Tensor

Progress = TypeVar("Progress", float, Tensor)


def cosine(start: float, end: float, progress: Progress, share: float = 1.0) -> Progress:
    """Half a cosine wave from `start` to `end` over the first `share` of the run, then `end`.

    Args:
        progress: of the run, in [0, 1]; a 0-d tensor stays on its device.
    """
    return end + (start - end) * _left(progress, share)


def geometric(start: float, end: float, progress: Progress, share: float = 1.0) -> Progress:
    """The same for the logarithm: a half, a third, ... of the value at even distances, so that it is small
    for longer.

    Args:
        start, end: above 0.
    """
    value: Progress = end * (start / end) ** _left(progress, share)
    return value


def _left(progress: Progress, share: float) -> Progress:
    """Of the way, from 1 to 0."""
    if isinstance(progress, Tensor):
        return (1 + (progress / share).clamp(max=1).mul(math.pi).cos()) / 2
    return (1 + math.cos(math.pi * min(1.0, progress / share))) / 2
