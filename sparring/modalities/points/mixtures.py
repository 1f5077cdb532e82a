"""Mixtures of Gaussians in the plane, whose modes are known. Lin et al. 2017 (PacGAN), arXiv:1712.04086,
section 4.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items

POINTS = 100_000


@dataclass(frozen=True)
class Mixture:
    """Gaussians of equal weight and equal standard deviation in every direction.

    Attributes:
        centers: (modes, 2).
        sd: standard deviation.
    """

    centers: NDArray[np.float64]
    sd: float

    def draw(self, n: int = POINTS, seed: int = 0) -> NDArray[np.float32]:
        """Points (n, 2), each from a random mode."""
        random = np.random.default_rng(seed)
        modes = random.integers(len(self.centers), size=n)
        points = self.centers[modes] + self.sd * random.standard_normal((n, 2))
        return points.astype(np.float32)


_angles = 2 * math.pi * np.arange(8) / 8
_axis = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])

RING = Mixture(np.stack([np.cos(_angles), np.sin(_angles)], 1), 0.01)  # eight on a circle of radius 1
GRID = Mixture(np.stack(np.meshgrid(_axis, _axis), -1).reshape(-1, 2), 0.05)  # 25 on {-4, -2, 0, 2, 4} squared


def ring() -> Items:
    """100,000 points from eight Gaussians on a circle."""
    return Items("ring", "points", RING.draw(), columns=("x", "y"))


def grid() -> Items:
    """100,000 points from 25 Gaussians on a grid."""
    return Items("grid", "points", GRID.draw(), columns=("x", "y"))


SETS = {"ring": ring, "grid": grid}
