"""Mixtures of Gaussians in the plane, whose every mode is known. Lin et al. 2017 (PacGAN), arXiv:1712.04086,
section 4.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POINTS = 100_000


@dataclass(frozen=True)
class Mixture:
    """Equal, round Gaussians.

    Attributes:
        centres: (modes, 2).
        sd: standard deviation of each in every direction.
    """

    centres: NDArray[np.float64]
    sd: float

    def draw(self, n: int = POINTS, seed: int = 0) -> NDArray[np.float32]:
        """Points (n, 2), each of a mode drawn at random."""
        random = np.random.default_rng(seed)
        modes = random.integers(len(self.centres), size=n)
        points = self.centres[modes] + self.sd * random.standard_normal((n, 2))
        return points.astype(np.float32)


_angles = 2 * math.pi * np.arange(8) / 8
_axis = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])

RING = Mixture(np.stack([np.cos(_angles), np.sin(_angles)], 1), 0.01)  # eight on a circle of radius 1
GRID = Mixture(np.stack(np.meshgrid(_axis, _axis), -1).reshape(-1, 2), 0.05)  # 25 on {-4, -2, 0, 2, 4} squared
