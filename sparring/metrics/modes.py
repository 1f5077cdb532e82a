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
        width: the same about the mean of the samples of each mode: a narrow mode beside its centre has
            spread, and no width.
    """

    hit: int
    total: int
    quality: float
    kl: float
    spread: float
    width: float


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
    if not good.any():
        return Modes(found.modes, found.total, 0.0, found.kl, 0.0, 0.0)
    own = offsets[np.arange(len(samples)), nearest][good]  # (high quality, d)
    sums = np.zeros_like(centres, dtype=float)
    np.add.at(sums, nearest[good], own)
    means = sums / np.maximum(counts, 1)[:, None]  # (modes, d)
    about = ((own - means[nearest[good]]) ** 2).sum() / max(1, counts.sum() - found.modes)
    expected = _cut_variance(samples.shape[1]) * sd**2
    spread, width = ((own**2).sum(1).mean() / expected) ** 0.5, (about / expected) ** 0.5
    return Modes(found.modes, found.total, float(good.mean()), found.kl, float(spread), float(width))


def _cut_variance(d: int) -> float:
    """Mean squared norm of a standard normal in d dimensions, given that it is at most 3."""
    from scipy.stats import chi2

    return float(d * chi2.cdf(9, d + 2) / chi2.cdf(9, d))
