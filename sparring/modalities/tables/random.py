"""Random numbers that depend on a row's content and position only, so that decoding is deterministic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the increment of SplitMix64


def row_keys(encoded: NDArray[np.float64], start: int) -> NDArray[np.uint64]:
    """A hash of the content and the position of each encoded row, (n,).

    Args:
        start: position of the first row.
    """
    bits = encoded.astype(np.float32).view(np.uint32).astype(np.uint64)
    weights = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], dtype=np.uint64) | np.uint64(1)
    with np.errstate(over="ignore"):
        positions = np.arange(start, start + len(bits), dtype=np.uint64)
        keys: NDArray[np.uint64] = (bits * weights).sum(1) + positions * GOLDEN
    return keys


def uniform(keys: NDArray[np.uint64], stream: int) -> NDArray[np.float64]:
    """Random numbers in [0, 1) for each key: SplitMix64, Steele et al. 2014, doi:10.1145/2660193.2660195.

    Args:
        stream: different streams are independent.
    """
    with np.errstate(over="ignore"):
        x = keys + np.uint64(stream + 1) * GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(np.float64) / 2**53
