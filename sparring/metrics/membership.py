"""Membership inference: how well an attacker tells the items that a model was trained on from others.

An attack gives each candidate a score, which is higher for items that it takes for members of the training data.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.metrics.copies import nearest, pairwise_distances

CHUNK_SIZE = 512
COMPONENTS = 16  # principal directions in which densities are estimated; they mean little in more dimensions
FALSE_POSITIVES = 0.01  # rate at which true positives are counted


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its confidence interval; NaN if it is unknown."""

    value: float
    low: float = nan
    high: float = nan

    def excludes(self, value: float) -> bool:
        """True if a value is outside of the interval."""
        return not self.low <= value <= self.high


def auc(members: Tensor, others: Tensor, confidence: float = 0.95) -> Interval:
    """Probability that a member has a higher score than another item, ties counted half: 0.5 if an attack learns
    nothing. The interval uses the variance of DeLong et al. 1988, doi:10.2307/2531595.

    Args:
        members, others: scores (n,) and (m,), two or more each.
    """
    a, b = members.double().numpy(), others.double().numpy()
    of_members, of_others = _above(a, b), 1 - _above(b, a)
    value = float(of_members.mean())
    deviation = sqrt(of_members.var(ddof=1) / len(a) + of_others.var(ddof=1) / len(b))
    reach = normal_quantile(confidence) * deviation
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))


def _above(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of b that is below each of a, ties counted half, (n,)."""
    order = np.sort(b)
    below, upto = np.searchsorted(order, a, "left"), np.searchsorted(order, a, "right")
    return (below + upto) / (2 * len(b))


def normal_quantile(confidence: float) -> float:
    """Half the width of a normal distribution's interval, in standard deviations."""
    from scipy.stats import norm

    return float(norm.ppf((1 + confidence) / 2))


def true_positive_rate(members: Tensor, others: Tensor, confidence: float = 0.95) -> Interval:
    """Share of members that are recognized while at most 1% of the other items are taken for members. Carlini et
    al. 2022, arXiv:2112.03570, argue for it: an attack that recognizes few members, but surely, harms these. The
    interval is Clopper and Pearson's, for the threshold as it was found.

    With fewer than 100 other items the threshold is above all of them.
    """
    from scipy.stats import beta

    allowed = int(FALSE_POSITIVES * len(others))
    threshold = others.sort(descending=True).values[allowed]
    n, found = len(members), int((members > threshold).sum())
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, found, n - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, n - found)) if found < n else 1.0
    return Interval(found / n, low, high)


def gan_leaks(candidates: Tensor, samples: Tensor, reference: Tensor | None = None) -> Tensor:
    """Nearness of candidates to the nearest sample, (n,). Chen et al. 2020, arXiv:1909.03935.

    Args:
        candidates, samples: features (n, d) and (m, d).
        reference: features of items that are known not to be members, (k, d): nearness is calibrated by the distance
            to the nearest of these, so that items that are near everything are not taken for members.
    """
    distances = nearest(candidates, samples)[0]
    if reference is None:
        return -distances
    return nearest(candidates, reference)[0] - distances


def domias(candidates: Tensor, samples: Tensor, reference: Tensor) -> Tensor:
    """Log ratio of the density of samples to that of other real items at each candidate, (n,): a model that has
    memorized an item is denser there than the data are. Van Breugel et al. 2023, arXiv:2302.12580.

    Densities are estimated by Gaussian kernels with Scott's bandwidth, in at most 16 principal directions of the
    reference.

    Args:
        candidates, samples, reference: features (n, d), (m, d) and (k, d).
    """
    center = reference.double().mean(0)
    centered = reference.double() - center
    _, spread, directions = torch.linalg.svd(centered, full_matrices=False)
    scale = spread / sqrt(max(1, len(reference) - 1))
    kept = (scale > 1e-6 * scale[:1]).nonzero().flatten()[:COMPONENTS]
    projection = directions[kept].T / scale[kept]

    def project(x: Tensor) -> Tensor:
        projected: Tensor = (x.double() - center) @ projection
        return projected

    points = project(candidates)
    return _log_density(points, project(samples)) - _log_density(points, project(reference))


def _log_density(points: Tensor, centers: Tensor) -> Tensor:
    """Logarithm of a kernel density estimate up to a constant that depends on the dimension only, (n,)."""
    n, d = centers.shape
    width = n ** (-1 / (d + 4)) * float(centers.std(0).mean().clamp_min(1e-12))
    parts = [
        torch.logsumexp(-0.5 * (pairwise_distances(part, centers) / width).square(), 1)
        for part in torch.split(points, CHUNK_SIZE)
    ]
    log_density: Tensor = torch.cat(parts) - d * np.log(width) - np.log(n)
    return log_density
