"""Features of pictures without weights or labels: what random filters see at several scales.

Three layers of fixed random convolutions, each twice as coarse as the one before; of every filter the
mean and the deviation over the picture, and beside them the picture itself at 4 x 4. The first look at
some places only where pictures are larger than 32 pixels, so that they cost no more. They tell
textures, edges, colours and rough layout, not what is shown; the name of a number made with them
is `fid[patches]`.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

WIDTHS = (32, 64, 64)
SIDE = 4
LARGE = 32  # pixels up to which the first filters are applied at every place


def patches(x: Tensor) -> Tensor:
    """Features (n, d) of pictures (n, c, h, w) in [-1, 1]; always the same for the same pictures."""
    found = [F.adaptive_avg_pool2d(x, min(SIDE, x.shape[-1])).flatten(1)]
    h = x
    for i, weights in enumerate(_filters(x.shape[1])):
        stride = max(1, x.shape[-1] // LARGE) if i == 0 else 1
        h = F.leaky_relu(F.conv2d(h, weights.to(h.device, h.dtype), stride=stride, padding=1), 0.2)
        found += [h.mean((2, 3)), h.flatten(2).std(2)]
        if h.shape[-1] < 4:
            break
        h = F.avg_pool2d(h, 2)
    return torch.cat(found, 1)


@lru_cache
def _filters(channels: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    made = []
    for before, after in zip((channels, *WIDTHS), WIDTHS, strict=False):
        weights = torch.randn(after, before * 9, generator=generator)
        weights -= weights.mean(1, keepdim=True) * (before == channels)  # the first sees differences, not levels
        made.append((weights / weights.norm(dim=1, keepdim=True)).mul(2**0.5).view(after, before, 3, 3))
    return tuple(made)
