"""Whether codes that nobody named tell the classes apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def agreement(codes: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """The share of items whose code is their class, where each code is given to one class so that this is the most.
    Kuhn 1955, doi:10.1002/nav.3800020109.

    Args:
        codes, labels: of the items, (n,), counted from 0.
    """
    table = np.zeros((codes.max() + 1, labels.max() + 1))
    np.add.at(table, (codes, labels), 1)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(codes))
