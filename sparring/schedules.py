"""How the value of a hyperparameter changes over a run."""

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
    if isinstance(progress, Tensor):
        wave = (progress / share).clamp(max=1).mul(math.pi).cos()
    else:
        wave = math.cos(math.pi * min(1.0, progress / share))
    return end + (start - end) * (1 + wave) / 2


def geometric(start: float, end: float, progress: float, after: float = 0.0) -> float:
    """`start` for the first share `after` of the run, then exponential decay to `end`."""
    if progress <= after:
        return start
    return float(start * (end / start) ** ((progress - after) / (1 - after)))
