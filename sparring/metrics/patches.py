"""Features of images without weights or labels: responses of random filters at several scales.

Three layers of fixed random convolutions, each with half the resolution of the one before. The features are the mean
and the standard deviation of every filter over the image, and the image itself at 4 x 4 pixels. For images above 32
pixels, the first filters have a stride, so that the cost does not grow. The features show textures, edges, colors and
rough layout, not what is depicted. Metrics that use them are named after them, such as `fid[patches]`.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

WIDTHS = (32, 64, 64)
SIDE = 4
MAX_DENSE_SIZE = 32  # pixels up to which the first filters are applied at every position


def patches(x: Tensor) -> Tensor:
    """Features (n, d) of images (n, c, h, w) in [-1, 1]. They are deterministic."""
    features = [F.adaptive_avg_pool2d(x, min(SIDE, x.shape[-1])).flatten(1)]
    h = x
    for i, weights in enumerate(_filters(x.shape[1])):
        stride = max(1, x.shape[-1] // MAX_DENSE_SIZE) if i == 0 else 1
        h = F.leaky_relu(F.conv2d(h, weights.to(h.device, h.dtype), stride=stride, padding=1), 0.2)
        features += [h.mean((2, 3)), h.flatten(2).std(2)]
        if h.shape[-1] < 4:
            break
        h = F.avg_pool2d(h, 2)
    return torch.cat(features, 1)


@lru_cache
def _filters(channels: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    layers = []
    for before, after in zip((channels, *WIDTHS), WIDTHS, strict=False):
        weights = torch.randn(after, before * 9, generator=generator)
        weights -= weights.mean(1, keepdim=True) * (before == channels)  # the first layer responds to differences only
        layers.append((weights / weights.norm(dim=1, keepdim=True)).mul(2**0.5).view(after, before, 3, 3))
    return tuple(layers)
