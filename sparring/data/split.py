"""What is held out of training, to see whether a net knows data that it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EVERY = 10  # every so manieth item is held out, or fewer:
MOST = 1000  # items held out at most
FEWEST = 20  # items from which on any are
HELD_EVERY = 8  # rounds of which one holds a batch of them, for D to be watched by


def held_out(n: int, labels: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """A share of every class, always the same for the same data: (n,), true where held out."""
    held = np.zeros(n, bool)
    if n >= FEWEST:
        order = np.random.default_rng(0).permutation(n)
        if labels is not None:
            order = order[np.argsort(labels[order], kind="stable")]
        every = max(EVERY, -(-n // MOST))
        held[order[every // 2 :: every]] = True
    return held
