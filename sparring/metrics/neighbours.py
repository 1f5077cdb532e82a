"""Whether samples lie where the data lie, and the other way round, by nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.metrics.copies import apart

CHUNK = 512
K = 5


@dataclass(frozen=True)
class Neighbours:
    """Attributes:
    precision: the share of samples within the data's manifold, the union of balls about each real
        item that reach to its k-th neighbour; recall: the share of real items within the samples'.
        Kynkäänniemi et al. 2019, arXiv:1904.06991.
    density: in how many such balls a sample lies on the mean, by k, so that outliers count little; it may
        exceed 1. coverage: the share of real items whose ball holds a sample. Naeem et al. 2020,
        arXiv:2002.09797.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def radii(x: Tensor, k: int = K) -> Tensor:
    """The distance of each of x (n, d) to its k-th neighbour among the others: (n,)."""
    return torch.cat([apart(part, x).kthvalue(k + 1).values for part in torch.split(x, CHUNK)])


def neighbours(real: Tensor, fake: Tensor, k: int = K, reach: Tensor | None = None) -> Neighbours:
    """Precision, recall, density and coverage.

    Args:
        real, fake: features (n, d) and (m, d). All four depend on n and m, so that only numbers of equal
            counts compare.
        k: which neighbour; fewer than there are others.
        reach: `radii(real, k)`, where they have been computed before.
    """
    reach = radii(real, k) if reach is None else reach
    own = radii(fake, k)
    inside = torch.zeros(len(fake))
    recalled, covered = [], []
    for part, within in zip(torch.split(real, CHUNK), torch.split(reach, CHUNK), strict=True):
        distances = apart(part, fake)
        balls = distances < within[:, None]
        inside += balls.sum(0).cpu()
        recalled.append((distances < own).any(1))
        covered.append(balls.any(1))
    return Neighbours(
        precision=float((inside > 0).float().mean()),
        recall=float(torch.cat(recalled).float().mean()),
        density=float(inside.mean() / k),
        coverage=float(torch.cat(covered).float().mean()),
    )
