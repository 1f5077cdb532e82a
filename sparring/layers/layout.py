"""The layout of images in memory."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor


def channels_last(x: Tensor) -> Tensor:
    """Images (n, c, h, w) with the channels of each pixel next to each other if they are on a CPU, whose convolutions,
    which keep this layout, are faster with it (benchmarks/parts.py). Elsewhere unchanged, and so are images under vmap.
    """
    plain = x.device.type == "cpu" and not is_functorch_wrapped_tensor(x)
    return x.contiguous(memory_format=torch.channels_last) if plain else x
