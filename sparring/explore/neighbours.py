"""The training items that are nearest to samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.metrics.copies import apart
from sparring.metrics.tables import SCALES, Rows


def neighbours(samples: Tensor, items: Iterable[Tensor], k: int) -> tuple[Tensor, Tensor]:
    """Each sample's nearest items, the nearest first.

    Args:
        samples: (n, *shape), as nets make them.
        items: part by part, (some, *shape) each, as nets see them.
        k: how many; fewer where there are not as many.

    Returns:
        Distances (n, k), as root mean squares over a sample's numbers, and the items themselves, (n, k, *shape).
    """
    flat = samples.flatten(1).float()
    distances, found = flat.new_zeros(len(flat), 0), samples.new_zeros(len(flat), 0, *samples.shape[1:])
    for part in items:
        part = part.to(samples)
        further = apart(flat, part.flatten(1).float()) / flat.shape[1] ** 0.5  # (n, some)
        best = further.topk(min(k, len(part)), dim=1, largest=False)
        distances = torch.cat([distances, best.values], 1)
        found = torch.cat([found, part[best.indices]], 1)
        order = distances.argsort(dim=1, stable=True)[:, :k]
        distances = distances.gather(1, order)
        found = found[torch.arange(len(found), device=found.device)[:, None], order]
    return distances, found


def nearest_rows(made: Rows, train: Rows, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Each row's nearest training rows, by Gower's distance: a column counts 1 where levels differ, or one of two
    numbers is missing, or they lie two deviations apart or more, and else their distance by these. Gower 1971,
    doi:10.2307/2528823.

    Returns:
        Distances (n, k), as means over the columns, and indices (n, k).
    """
    deviation = np.nanstd(train.values, axis=0)
    scale = np.where(train.category | ~(deviation > 0), 1.0, SCALES * deviation)
    found = []
    for row in made.values:
        differ = np.abs(train.values - row)
        differ = np.where(train.category, differ > 0, np.minimum(differ / scale, 1.0))
        missing = np.isnan(train.values).astype(int) + np.isnan(row)  # 0, 1 or 2 of the two
        differ = np.where(missing == 1, 1.0, np.where(missing == 2, 0.0, differ))
        distance = differ.mean(1)
        order = np.argsort(distance, kind="stable")[:k]
        found.append((distance[order], order))
    return np.stack([d for d, _ in found]), np.stack([i for _, i in found])
