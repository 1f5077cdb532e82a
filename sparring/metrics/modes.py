"""How well samples cover a mixture of known Gaussians. Lin et al. 2017 (PacGAN), arXiv:1712.04086."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.metrics.classes import hit


@dataclass(frozen=True)
class Modes:
    """Coverage of a mixture.

    Attributes:
        hit: modes with at least one high-quality sample.
        total: modes of the mixture.
        quality: share of samples within three standard deviations of a mode's centre. A perfect
            sampler in two dimensions has 98.9%.
        kl: divergence in nats of the high-quality samples' modes from uniform; 0 is perfect.
        spread: the standard deviation of high-quality samples about their centres, by the mixture's
            own as it is within three deviations; 1 is perfect.
    """

    hit: int
    total: int
    quality: float
    kl: float
    spread: float


def modes(samples: NDArray[np.floating], centres: NDArray[np.floating], sd: float) -> Modes:
    """Judge samples of a mixture of equal, round Gaussians.

    Args:
        samples: (n, d).
        centres: (modes, d), further than six `sd` from one another.
        sd: standard deviation of every Gaussian in every direction, above 0.
    """
    offsets = samples[:, None] - centres[None]  # (n, modes, d)
    distances = np.linalg.norm(offsets, axis=-1)
    nearest = distances.argmin(1)
    near = distances[np.arange(len(samples)), nearest]
    good = near <= 3 * sd
    counts = np.bincount(nearest[good], minlength=len(centres))
    found = hit(torch.from_numpy(counts))
    spread = float(np.sqrt((near[good] ** 2).mean() / _cut_variance(samples.shape[1])) / sd) if good.any() else 0.0
    return Modes(found.modes, found.total, float(good.mean()), found.kl, spread)


def _cut_variance(d: int) -> float:
    """Mean squared norm of a standard normal in d dimensions, given that it is at most 3."""
    from scipy.stats import chi2

    return float(d * chi2.cdf(9, d + 2) / chi2.cdf(9, d))
