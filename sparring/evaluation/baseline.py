"""A trivial generator, for numbers to be read beside: anybody's first attempt, which a GAN must beat."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import torch
from torch import Tensor

from sparring.data.tensors import VALUES, Tensors
from sparring.evaluation.real import Real
from sparring.seeds import Seeds, reseed

DIRECTIONS = 64
FITTED = 5000  # items
NUMBERS = 2**25  # in the items that it is fitted to, at most
AT_ONCE = 500


class Normal:
    """A normal distribution along the data's 64 principal directions, one for each class.

    Args:
        real: the data.
        rows: what it is fitted to, in random order.
    """

    def __init__(self, real: Real, rows: Tensor) -> None:
        self.shape = real.modality.shape
        rows = rows[: max(2, min(FITTED, NUMBERS // prod(self.shape)))]
        x = torch.cat([part[VALUES] for part, _ in real.batches(rows)]).flatten(1)
        self.labels = real.labels(rows)
        reseed(Seeds().key("principal"), torch.device("cpu"))
        self.mean = x.mean(0)
        q = min(DIRECTIONS, *x.shape)
        _, _, self.directions = torch.pca_lowrank(x, q, center=True)
        places = (x - self.mean) @ self.directions
        classes = torch.zeros(len(x)) if self.labels is None else self.labels
        groups = [places[classes == c] for c in range(max(1, len(real.modality.classes)))]
        self.means = torch.stack([g.mean(0) if len(g) else g.new_zeros(g.shape[1]) for g in groups])
        self.roots = torch.stack([_root(g) for g in groups])

    def batches(self, n: int) -> Iterator[tuple[Tensors, Tensor | None]]:
        """n samples and their labels, classes as frequent as in the data; always the same."""
        for start in range(0, n, AT_ONCE):
            reseed(Seeds().key("baseline", start), torch.device("cpu"))
            many = min(AT_ONCE, n - start)
            labels = torch.zeros(many, dtype=torch.int64)
            if self.labels is not None:
                labels = self.labels[torch.randint(len(self.labels), (many,))]
            noise = torch.randn(many, self.directions.shape[1])
            places = self.means[labels] + torch.einsum("nij,nj->ni", self.roots[labels], noise)
            x = (self.mean + places @ self.directions.T).view(many, *self.shape)
            yield {VALUES: x}, None if self.labels is None else labels


def _root(places: Tensor) -> Tensor:
    """The symmetric root of the covariance (d, d) of (n, d); 0 where there are less than two."""
    if len(places) < 2:
        return torch.zeros(places.shape[1], places.shape[1])
    values, vectors = torch.linalg.eigh(torch.cov(places.T).reshape(places.shape[1], -1))
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root
