"""Metrics that show copies of the training data, and how different samples are from each other."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK_SIZE = 512
MAX_EXACT_WIDTH = 16  # dimensions
NEAR = 0.1  # root mean square difference of values in [-1, 1]; 13 of 255 gray levels


def pairwise_distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances between all pairs, (n, m) for (n, d) and (m, d).

    They are computed by a matrix product where that is much faster. In few dimensions this would lose the digits of
    small distances, so that they are computed directly.
    """
    exact = a.shape[1] <= MAX_EXACT_WIDTH
    mode = "donot_use_mm_for_euclid_dist" if exact else "use_mm_for_euclid_dist_if_necessary"
    distances: Tensor = torch.cdist(a, b, compute_mode=mode)
    return distances


def nearest(samples: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest item of each sample.

    Args:
        samples: (n, ...).
        items: (m, ...), each of the shape of a sample.

    Returns:
        Distances (n,), as root mean squares over the values of a sample, and indices (n,).
    """
    a, b = samples.flatten(1).float(), items.flatten(1).float()
    minima = [pairwise_distances(part, b).min(1) for part in a.split(CHUNK_SIZE)]  # type: ignore[no-untyped-call]
    distances = torch.cat([part.values for part in minima]) / a.shape[1] ** 0.5
    return distances, torch.cat([part.indices for part in minima])


def near_copy_share(samples: Tensor, items: Tensor, threshold: float = NEAR) -> float:
    """Share of samples whose root mean square difference from some item is below a threshold. Compare it with the share
    of held-out items, which are not copies.
    """
    distances, _ = nearest(samples, items)
    return float((distances < threshold).float().mean())


def memorization(samples: Tensor, held: Tensor) -> float:
    """Probability that a sample is nearer to the training data than a held-out item is: 0.5 if samples are as new as
    held-out items, 1 if all are copies. Meehan et al. 2020, arXiv:2004.05675.

    Args:
        samples, held: distances to the nearest training item, (n,) and (m,).
    """
    order = held.sort().values
    farther = len(order) - torch.searchsorted(order, samples, right=True)
    equal = torch.searchsorted(order, samples, right=True) - torch.searchsorted(order, samples)
    return float((farther + equal / 2).double().mean() / len(order))


def diversity(features: Tensor, others: Tensor) -> float:
    """Mean distance between the rows of (n, d) and those of (n, d)."""
    return float((features - others).norm(dim=1).mean())
