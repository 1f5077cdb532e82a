"""Whether samples are copies of what was trained on, and how much they differ from one another."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 512


def nearest(samples: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
    """Each sample's nearest item.

    Args:
        samples: (n, ...).
        items: (m, ...), of the same shape each.

    Returns:
        Distances (n,), as root mean squares over a sample's numbers, and indices (n,).
    """
    a, b = samples.flatten(1).float(), items.flatten(1).float()
    found = [torch.cdist(part, b).min(1) for part in a.split(CHUNK)]  # type: ignore[no-untyped-call]
    distances = torch.cat([part.values for part in found]) / a.shape[1] ** 0.5
    return distances, torch.cat([part.indices for part in found])


def near_copies(samples: Tensor, items: Tensor, within: float = 0.1) -> float:
    """The share of samples that lie within a root mean square of `within` of some item; of numbers in
    [-1, 1], 0.1 is a difference of 13 of 255 levels all over. To be read beside the share of held-out
    items, which copy nothing.
    """
    distances, _ = nearest(samples, items)
    return float((distances < within).float().mean())


def diversity(features: Tensor, others: Tensor) -> float:
    """The mean distance of pairs (n, d) and (n, d)."""
    return float((features - others).norm(dim=1).mean())
