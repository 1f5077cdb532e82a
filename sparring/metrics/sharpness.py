"""Sharpness of images."""

from __future__ import annotations

from torch import Tensor


def sharpness(x: Tensor) -> Tensor:
    """Mean squared second difference along rows and columns of each image (n, c, h, w): (n,).

    Compare it with that of real images: blurred images have less, noisy or checkered ones more.
    """
    rows = x[..., 2:] - 2 * x[..., 1:-1] + x[..., :-2]
    columns = x[..., 2:, :] - 2 * x[..., 1:-1, :] + x[..., :-2, :]
    return (rows.square().flatten(1).mean(1) + columns.square().flatten(1).mean(1)) / 2
