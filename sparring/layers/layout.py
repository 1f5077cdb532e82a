"""The layout of images in memory."""

from __future__ import annotations

import torch
from torch import Tensor


def channels_last(x: Tensor) -> Tensor:
    """Images (n, c, h, w) with the channels of each pixel next to each other if they are on a CPU, whose convolutions,
    which keep this layout, are faster with it (benchmarks/parts.py). Elsewhere unchanged.
    """
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x
