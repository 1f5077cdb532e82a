"""The kernel distance of two sets of features. Bińkowski et al. 2018, arXiv:1801.01401 (KID, there with the
features of Inception).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 1000  # features in a block, at most
BLOCKS = 10  # at least, where there are features enough


@dataclass(frozen=True)
class KernelDistance:
    """Attributes:
    value: the squared maximum mean discrepancy, unbiased: 0 on the mean where both sets are of one
        distribution, and then below 0 as often as above.
    error: its standard error; NaN where there is one block only.
    size, blocks: of how many features, how often.
    """

    value: float
    error: float
    size: int
    blocks: int


def kernel_distance(a: Tensor, b: Tensor, size: int | None = None) -> KernelDistance:
    """Under the kernel (x y / d + 1)^3, as the mean over disjoint blocks of both sets.

    Blocks of their own make the estimates independent, so that their spread gives the error.

    Args:
        a, b: features (n, d) and (m, d), in random order.
        size: of a block, at least 2; a tenth of the smaller set, at most 1,000, unless given.
    """
    n = min(len(a), len(b))
    size = size or min(BLOCK, max(2, n // BLOCKS))
    blocks = max(1, n // size)
    size = min(size, n)
    found = torch.tensor(
        [_discrepancy(*(x[i * size : (i + 1) * size].double() for x in (a, b))) for i in range(blocks)]
    )
    error = float(found.std() / blocks**0.5) if blocks > 1 else float("nan")
    return KernelDistance(float(found.mean()), error, size, blocks)


def _discrepancy(a: Tensor, b: Tensor) -> float:
    n, d = a.shape
    within = sum(_cubic(x, x, d).fill_diagonal_(0).sum() / (n * (n - 1)) for x in (a, b))
    return float(within - 2 * _cubic(a, b, d).mean())


def _cubic(a: Tensor, b: Tensor, d: int) -> Tensor:
    return (a @ b.T / d + 1) ** 3
