"""Whether samples are copies of what was trained on, and how much they differ from one another."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 512
FEW = 16  # dimensions
NEAR = 0.1  # root mean square of the differences; of numbers in [-1, 1], 13 of 255 levels all over


def apart(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances of each with each, (n, m) of (n, d) and (m, d).

    By a product of matrices where that is much faster; of few dimensions it would lose the digits of those
    that lie close.
    """
    exact = a.shape[1] <= FEW
    mode = "donot_use_mm_for_euclid_dist" if exact else "use_mm_for_euclid_dist_if_necessary"
    distances: Tensor = torch.cdist(a, b, compute_mode=mode)
    return distances


def nearest(samples: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Each sample's nearest item.

    Args:
        samples: (n, ...).
        items: (m, ...), of the same shape each.

    Returns:
        Distances (n,), as root mean squares over a sample's numbers, and indices (n,).
    """
    a, b = samples.flatten(1).float(), items.flatten(1).float()
    found = [apart(part, b).min(1) for part in a.split(CHUNK)]  # type: ignore[no-untyped-call]
    distances = torch.cat([part.values for part in found]) / a.shape[1] ** 0.5
    return distances, torch.cat([part.indices for part in found])


def near_copies(samples: Tensor, items: Tensor, within: float = NEAR) -> float:
    """The share of samples that lie within a root mean square of `within` of some item. To be read beside the
    share of held-out items, which copy nothing.
    """
    distances, _ = nearest(samples, items)
    return float((distances < within).float().mean())


def memorised(samples: Tensor, held: Tensor) -> float:
    """The probability that a sample lies nearer to what was trained on than a held-out item does: 0.5 where
    samples are as new as those, 1 where all are copies. Meehan et al. 2020, arXiv:2004.05675.

    Args:
        samples, held: distances to the nearest training item, (n,) and (m,).
    """
    order = held.sort().values
    beyond = len(order) - torch.searchsorted(order, samples, right=True)
    level = torch.searchsorted(order, samples, right=True) - torch.searchsorted(order, samples)
    return float((beyond + level / 2).double().mean() / len(order))


def diversity(features: Tensor, others: Tensor) -> float:
    """The mean distance of pairs (n, d) and (n, d)."""
    return float((features - others).norm(dim=1).mean())
