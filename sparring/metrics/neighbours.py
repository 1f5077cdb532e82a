"""Metrics of overlap between samples and data, by nearest neighbors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.metrics.copies import pairwise_distances

CHUNK_SIZE = 512
K = 5


@dataclass(frozen=True)
class Neighbours:
    """Overlap of samples and data. The ball of an item reaches to its k-th neighbor among the items of its own set.

    Attributes:
        precision: share of samples within the ball of some real item.
        recall: share of real items within the ball of some sample. Kynkäänniemi et al. 2019, arXiv:1904.06991.
        density: mean number of real items' balls that contain a sample, divided by k, so that outliers have little
            influence; it may exceed 1.
        coverage: share of real items whose ball contains a sample. Naeem et al. 2020, arXiv:2002.09797.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def radii(x: Tensor, k: int = K) -> Tensor:
    """Distance of each row of x (n, d) to its k-th neighbor among the other rows: (n,)."""
    return torch.cat([pairwise_distances(part, x).kthvalue(k + 1).values for part in torch.split(x, CHUNK_SIZE)])


def neighbours(real: Tensor, fake: Tensor, k: int = K, reach: Tensor | None = None) -> Neighbours:
    """Precision, recall, density and coverage.

    Args:
        real, fake: features (n, d) and (m, d). All four metrics depend on n and m, so only values for equal counts can
            be compared.
        k: rank of the neighbor; below n and m.
        reach: `radii(real, k)`, if it has been computed before.
    """
    reach = radii(real, k) if reach is None else reach
    own = radii(fake, k)
    inside = torch.zeros(len(fake))
    recalled, covered = [], []
    for part, radius in zip(torch.split(real, CHUNK_SIZE), torch.split(reach, CHUNK_SIZE), strict=True):
        distances = pairwise_distances(part, fake)
        balls = distances < radius[:, None]
        inside += balls.sum(0).cpu()
        recalled.append((distances < own).any(1))
        covered.append(balls.any(1))
    return Neighbours(
        precision=float((inside > 0).float().mean()),
        recall=float(torch.cat(recalled).float().mean()),
        density=float(inside.mean() / k),
        coverage=float(torch.cat(covered).float().mean()),
    )
