"""A trivial generator that a GAN must outperform: a normal distribution along the data's principal directions."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import torch
from torch import Tensor

from sparring.data import tensors
from sparring.data.tensors import VALUES, Tensors
from sparring.evaluation.real import Real
from sparring.seeds import Seeds, reseed

DIRECTIONS = 64
MAX_FITTED = 5000  # items that it is fitted to
MAX_NUMBERS = 2**25  # in these items
BATCH_SIZE = 500


class NormalBaseline:
    """A normal distribution along the data's 64 principal directions, one for each class.

    Only values are drawn. Other parts of a sample, such as masks, are those of real samples.

    Args:
        real: the data.
        rows: that it is fitted to, in random order.
    """

    def __init__(self, real: Real, rows: Tensor) -> None:
        self.shape = real.modality.shape
        rows = rows[: max(2, min(MAX_FITTED, MAX_NUMBERS // prod(self.shape)))]
        batch = tensors.concatenate([part for part, _ in real.batches(rows)])
        x = batch.pop(VALUES).flatten(1)
        self.other_parts = batch
        self.labels = real.labels(rows)
        reseed(Seeds().key("principal"), torch.device("cpu"))
        self.mean = x.mean(0)
        q = min(DIRECTIONS, *x.shape)
        _, _, self.directions = torch.pca_lowrank(x, q, center=True)
        projected = (x - self.mean) @ self.directions
        classes = torch.zeros(len(x)) if self.labels is None else self.labels
        groups = [projected[classes == c] for c in range(max(1, len(real.modality.classes)))]
        self.means = torch.stack([g.mean(0) if len(g) else g.new_zeros(g.shape[1]) for g in groups])
        self.roots = torch.stack([_covariance_root(g) for g in groups])

    def batches(self, n: int) -> Iterator[tuple[Tensors, Tensor | None]]:
        """n samples and their labels, with the class frequencies of the data. They are always the same."""
        for start in range(0, n, BATCH_SIZE):
            reseed(Seeds().key("baseline", start), torch.device("cpu"))
            size = min(BATCH_SIZE, n - start)
            labels = torch.zeros(size, dtype=torch.int64)
            if self.labels is not None:
                labels = self.labels[torch.randint(len(self.labels), (size,))]
            noise = torch.randn(size, self.directions.shape[1])
            projected = self.means[labels] + torch.einsum("nij,nj->ni", self.roots[labels], noise)
            x = (self.mean + projected @ self.directions.T).view(size, *self.shape)
            yield {VALUES: x, **self._draw_other_parts(size)}, None if self.labels is None else labels

    def _draw_other_parts(self, n: int) -> Tensors:
        if not self.other_parts:
            return {}
        return tensors.take(self.other_parts, torch.randint(tensors.length(self.other_parts), (n,)))


def _covariance_root(x: Tensor) -> Tensor:
    """The symmetric square root of the covariance (d, d) of (n, d); 0 for fewer than two rows."""
    if len(x) < 2:
        return torch.zeros(x.shape[1], x.shape[1])
    values, vectors = torch.linalg.eigh(torch.cov(x.T).reshape(x.shape[1], -1))
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root
