"""Random numbers that nobody can draw again."""

from __future__ import annotations

import secrets

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

KEY_BITS = 256


class SecretNoise:
    """Random numbers from a key of the operating system, which is kept in memory only.

    They do not depend on a run's seed: whoever knows the seed could draw the noise again and subtract it. The key is
    not stored either, so that a resumed run continues with a new one. PyTorch's generator on CPUs has 32 bits of state
    that depend on its seed, which can be tried one by one; this one is numpy's Philox with a key of 256 bits.
    """

    def __init__(self) -> None:
        self.random = np.random.Generator(np.random.Philox(np.random.SeedSequence(secrets.randbits(KEY_BITS))))

    def key(self) -> str:
        """A seed that nobody knows."""
        return self.random.bytes(KEY_BITS // 8).hex()

    def normal(self, like: Tensor, deviation: float) -> Tensor:
        """Normal numbers with a standard deviation, in the shape, dtype and place of a tensor."""
        drawn = self.random.standard_normal(tuple(like.shape), np.float32)
        return torch.from_numpy(np.asarray(drawn)).to(like.device, like.dtype) * deviation

    def noisy(self, counts: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
        """Counts with normal noise."""
        return counts + deviation * self.random.standard_normal(counts.shape)

    def chosen(self, n: int, rate: float) -> NDArray[np.int64]:
        """A Poisson sample: each of n indices with the same probability, independently of the others."""
        return np.flatnonzero(self.random.random(n) < rate)
