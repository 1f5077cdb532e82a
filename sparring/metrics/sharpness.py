"""How sharp pictures are."""

from __future__ import annotations

from torch import Tensor


def sharpness(x: Tensor) -> Tensor:
    """The mean squared second difference of each picture (n, c, h, w), along rows and columns: (n,).

    To be read by that of real pictures: blurred ones have less, noisy or checkered ones more.
    """
    rows = x[..., 2:] - 2 * x[..., 1:-1] + x[..., :-2]
    columns = x[..., 2:, :] - 2 * x[..., 1:-1, :] + x[..., :-2, :]
    return (rows.square().flatten(1).mean(1) + columns.square().flatten(1).mean(1)) / 2
