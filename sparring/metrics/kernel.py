"""The kernel distance between two sets of features. Bińkowski et al. 2018, arXiv:1801.01401 (KID, there with the
features of Inception).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MAX_BLOCK_SIZE = 1000  # features
MIN_BLOCKS = 10  # if there are enough features


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance and its standard error.

    Attributes:
        value: unbiased estimate of the squared maximum mean discrepancy. If both sets have the same distribution, its
            mean is 0 and it is negative as often as positive.
        error: standard error; NaN if there is only one block.
        size, blocks: number of features in a block, and number of blocks.
    """

    value: float
    error: float
    size: int
    blocks: int


def kernel_distance(a: Tensor, b: Tensor, size: int | None = None) -> KernelDistance:
    """Distance with the kernel (x y / d + 1)^3, as the mean over disjoint blocks of both sets.

    Disjoint blocks make the estimates independent, so that their spread gives the error.

    Args:
        a, b: features (n, d) and (m, d), in random order.
        size: features per block, at least 2; by default a tenth of the smaller set, at most 1,000.
    """
    n = min(len(a), len(b))
    size = size or min(MAX_BLOCK_SIZE, max(2, n // MIN_BLOCKS))
    blocks = max(1, n // size)
    size = min(size, n)
    estimates = torch.tensor(
        [_discrepancy(*(x[i * size : (i + 1) * size].double() for x in (a, b))) for i in range(blocks)]
    )
    error = float(estimates.std() / blocks**0.5) if blocks > 1 else float("nan")
    return KernelDistance(float(estimates.mean()), error, size, blocks)


def kernel_distance_of_few(a: Tensor, b: Tensor) -> KernelDistance:
    """Distance with the same kernel over all pairs, for sets that are too small for blocks.

    The error is that of the choice of b's items, by the jackknife: Efron and Stein 1981, doi:10.1214/aos/1176345462.

    Args:
        a, b: features (n, d) and (m, d), of at least 2 and 3 items.
    """
    n, m, d = len(a), len(b), a.shape[1]
    a, b = a.double(), b.double()
    within_a = _cubic(a, a, d).fill_diagonal_(0).sum() / (n * (n - 1))
    of_b, across = _cubic(b, b, d).fill_diagonal_(0), _cubic(a, b, d).mean(0)  # (m, m), (m,)
    value = within_a + of_b.sum() / (m * (m - 1)) - 2 * across.mean()
    without = within_a + (of_b.sum() - 2 * of_b.sum(1)) / ((m - 1) * (m - 2)) - 2 * (across.sum() - across) / (m - 1)
    error = ((m - 1) / m * (without - without.mean()).square().sum()).sqrt()
    return KernelDistance(float(value), float(error), m, 1)


def _discrepancy(a: Tensor, b: Tensor) -> float:
    n, d = a.shape
    within = sum(_cubic(x, x, d).fill_diagonal_(0).sum() / (n * (n - 1)) for x in (a, b))
    return float(within - 2 * _cubic(a, b, d).mean())


def _cubic(a: Tensor, b: Tensor, d: int) -> Tensor:
    return (a @ b.T / d + 1) ** 3
