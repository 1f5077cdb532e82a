"""Coverage of a mixture of known Gaussians. Lin et al. 2017 (PacGAN), arXiv:1712.04086."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.metrics.classes import mode_coverage


@dataclass(frozen=True)
class Modes:
    """Coverage of a mixture.

    Attributes:
        hit: number of modes with at least one high-quality sample.
        total: number of modes of the mixture.
        quality: share of high-quality samples, those within three standard deviations of a mode's center. A perfect
            sampler in two dimensions has 98.9%.
        kl: KL divergence of the high-quality samples' modes from the uniform distribution in nats; 0 is perfect.
        spread: standard deviation of high-quality samples around the centers, relative to that of the mixture within
            three standard deviations; 1 is perfect.
        width: the same around the mean of the samples of each mode: a narrow mode next to its center has spread but no
            width.
    """

    hit: int
    total: int
    quality: float
    kl: float
    spread: float
    width: float


def modes(samples: NDArray[np.floating], centers: NDArray[np.floating], sd: float) -> Modes:
    """Coverage of a mixture of equal, round Gaussians by samples.

    Args:
        samples: (n, d).
        centers: (modes, d), more than six `sd` from each other.
        sd: standard deviation of every Gaussian in every direction, above 0.
    """
    offsets = samples[:, None] - centers[None]  # (n, modes, d)
    distances = np.linalg.norm(offsets, axis=-1)
    nearest = distances.argmin(1)
    nearest_distances = distances[np.arange(len(samples)), nearest]
    good = nearest_distances <= 3 * sd
    counts = np.bincount(nearest[good], minlength=len(centers))
    covered = mode_coverage(torch.from_numpy(counts))
    if not good.any():
        return Modes(covered.modes, covered.total, 0.0, covered.kl, 0.0, 0.0)
    own = offsets[np.arange(len(samples)), nearest][good]  # (high quality, d)
    sums = np.zeros_like(centers, dtype=float)
    np.add.at(sums, nearest[good], own)
    means = sums / np.maximum(counts, 1)[:, None]  # (modes, d)
    about_means = ((own - means[nearest[good]]) ** 2).sum() / max(1, counts.sum() - covered.modes)
    expected = _truncated_variance(samples.shape[1]) * sd**2
    spread, width = ((own**2).sum(1).mean() / expected) ** 0.5, (about_means / expected) ** 0.5
    return Modes(covered.modes, covered.total, float(good.mean()), covered.kl, float(spread), float(width))


def _truncated_variance(d: int) -> float:
    """Mean squared norm of a standard normal in d dimensions, given that the norm is at most 3."""
    from scipy.stats import chi2

    return float(d * chi2.cdf(9, d + 2) / chi2.cdf(9, d))
