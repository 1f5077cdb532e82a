"""Agreement between unsupervised codes and classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def agreement(codes: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Share of items whose code is their class, under the assignment of codes to classes that maximizes it. Kuhn 1955,
    doi:10.1002/nav.3800020109.

    Args:
        codes, labels: code and class of each item, (n,), counted from 0.
    """
    table = np.zeros((codes.max() + 1, labels.max() + 1))
    np.add.at(table, (codes, labels), 1)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(codes))
