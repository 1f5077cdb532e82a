"""The Fréchet distance of two sets of features, each taken as a normal distribution. Heusel et al. 2017,
arXiv:1706.08500 (FID, there with the features of Inception).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Mean (d,) and covariance (d, d) of n features, float64 on the CPU."""

    n: int
    mean: Tensor
    covariance: Tensor


def moments(features: Tensor) -> Moments:
    """Of features (n, d), n at least 2."""
    x = features.detach().cpu().double()
    return Moments(len(x), x.mean(0), torch.cov(x.T).reshape(x.shape[1], x.shape[1]))


def frechet(a: Moments, b: Moments) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)); at least 0. It is biased upwards where the sets
    are small, so that only distances of equal numbers compare.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    distance = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * cross
    return max(0.0, float(distance))
