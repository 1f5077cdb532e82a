"""Doubling, halving and cropping of images."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

Padding = Literal["replicate", "zeros"]


def double(x: Tensor, padding: Padding = "replicate") -> Tensor:
    """(n, c, h, w) -> (n, c, 2h, 2w), bilinear: the kernel [1, 3, 3, 1] in each direction.

    Args:
        padding: what lies beyond the edges: the pixels of the edge again, or zeros.
    """
    if padding == "zeros":
        return double(F.pad(x, (1, 1, 1, 1)))[..., 2:-2, 2:-2]
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def halve(x: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, c, ceil(h/2), ceil(w/2)): the mean over two by two pixels.

    If the last row or column has no partner, the mean is taken over the existing pixels.
    """
    return F.avg_pool2d(x, 2, ceil_mode=True)


def center_crop(x: Tensor, size: int) -> Tensor:
    """(n, c, h, w) -> (n, c, size, size), for images whose size is no multiple of a power of two."""
    margin = (x.shape[-1] - size) // 2
    return x[..., margin : margin + size, margin : margin + size]
