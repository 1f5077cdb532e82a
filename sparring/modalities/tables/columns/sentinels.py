"""Numbers that stand for a missing value, such as -9999 among temperatures."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SENTINEL = re.compile(r"-?(9{2,}|8{2,}|7{2,}|9{2,}\.0*9+)|-?99+[0-8]|-32768|-2147483648|-?1e\+(20|30|36)")
MIN_COUNT = 2  # rows with one
MIN_GAP = 0.5  # distance to the other values, as a share of their range
MAX_CHECKED = 8  # smallest and largest different values
MIN_OTHERS = 5  # different values


def sentinels(different: Floats, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of the values that stand for a missing one by their look: numbers such as -99 or 9999 that occur several
    times, far below or above all others.

    Args:
        different: values of a column, in order.
        counts: how often each occurs.
    """
    n = len(different)
    ends = {*range(min(n, MAX_CHECKED)), *range(max(0, n - MAX_CHECKED), n)}
    looks = [i for i in sorted(ends) if counts[i] >= MIN_COUNT and SENTINEL.fullmatch(f"{different[i]:g}")]
    others = np.delete(different, looks)
    if len(others) < MIN_OTHERS:
        return np.zeros(0, np.int64)
    low, high = float(others[0]), float(others[-1])
    apart = MIN_GAP * (high - low)
    far = [i for i in looks if different[i] < low - apart or different[i] > high + apart]
    return np.array(far, np.int64)
