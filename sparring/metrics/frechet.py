"""The Fréchet distance between two sets of features, each approximated by a normal distribution. Heusel et al. 2017,
arXiv:1706.08500 (FID, there with the features of Inception).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Mean (d,) and covariance (d, d) of n features, float64 on the CPU."""

    n: int
    mean: Tensor
    covariance: Tensor


class Summed:
    """Moments of features that are added in parts. Memory does not grow with their number.

    Sums are relative to the mean of the first part, so that features far from 0 lose no digits.
    """

    def __init__(self) -> None:
        self.n = 0

    def add(self, features: Tensor) -> None:
        """Add features (n, d)."""
        x = features.detach().cpu().double().flatten(1)
        if not self.n:
            self._origin = x.mean(0)
            self._sum = torch.zeros_like(self._origin)
            self._products = x.new_zeros(x.shape[1], x.shape[1])
        self.n += len(x)
        x = x - self._origin
        self._sum += x.sum(0)
        self._products += x.T @ x

    def append(self, other: Summed) -> None:
        """Add the features of other sums. They keep as many digits as if they had been added one after the other."""
        if not self.n:
            self.restore({name: tensor.clone() for name, tensor in other.tensors().items()})
            return
        apart = other._origin - self._origin
        self._products = self._products + other._products + other.n * torch.outer(apart, apart)
        self._products += torch.outer(other._sum, apart) + torch.outer(apart, other._sum)
        self._sum = self._sum + other._sum + other.n * apart
        self.n += other.n

    def tensors(self) -> dict[str, Tensor]:
        """The sums, for storage; see `restore`."""
        return {"n": torch.tensor(self.n), "about": self._origin, "sum": self._sum, "products": self._products}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore the sums from `tensors`."""
        self.n = int(tensors["n"])
        self._origin, self._sum, self._products = (tensors[name] for name in ("about", "sum", "products"))

    def moments(self) -> Moments:
        """Moments of all features so far, two or more."""
        mean = self._sum / self.n
        covariance = (self._products - self.n * torch.outer(mean, mean)) / (self.n - 1)
        return Moments(self.n, self._origin + mean, covariance)


def moments(features: Tensor) -> Moments:
    """Moments of features (n, d), n at least 2."""
    summed = Summed()
    summed.add(features)
    return summed.moments()


def frechet(a: Moments, b: Moments) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)); at least 0. It is biased upwards for small sets, so only
    distances of sets of equal size can be compared.

    The trace of the square root is the sum of the square roots of the eigenvalues of A^(1/2) B A^(1/2), which is
    symmetric: a second for 2,048 features.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    distance = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * cross
    return max(0.0, float(distance))
