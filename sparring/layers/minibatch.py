"""Layers by which D compares a sample with the rest of its batch, so that G cannot repeat one sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.layers.condition import Condition, Projected

GROUP_SIZE = 4  # samples over which a standard deviation is computed


class BatchDependent(nn.Module):
    """A layer whose output for a sample depends on the batch; `layers.statistics.depends_on_batch` checks for it."""


class MinibatchDiscrimination(BatchDependent):
    """Features (n, d) -> (n, d + kernels): the features, and in each of several learned projections how close the
    sample is to the rest of its batch. Salimans et al. 2016, arXiv:1606.03498, section 3.2.

    Args:
        features: d.
        kernels: number of projections, B.
        width: length of a projection, C.
    """

    def __init__(self, features: int, kernels: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Linear(features, kernels * width, bias=False)
        nn.init.normal_(self.project.weight, std=(features * width) ** -0.5)

    def forward(self, h: Tensor) -> Tensor:
        m = self.project(h).unflatten(1, (-1, self.width))  # (n, B, C)
        distances = (m[:, None] - m[None]).abs().sum(3)  # (n, n, B)
        closeness = (-distances.float()).exp().sum(1) - 1  # without the sample itself
        return torch.cat([h, closeness.to(h.dtype)], 1)


class MinibatchHead(nn.Module):
    """The last layer of a D, with minibatch discrimination: features -> a logit.

    Args:
        features: length of the feature vectors.
        kernels, width: as for `MinibatchDiscrimination`.
        condition: number of classes, or columns; 0 for none.
    """

    def __init__(self, features: int, kernels: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        self.compare = MinibatchDiscrimination(features, kernels, width)
        self.head = Projected(features + kernels, condition)

    def forward(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.compare(h), label)
        return logits


class MinibatchDeviation(BatchDependent):
    """Maps (n, c, h, w) -> (n, c + 1, h, w): one more map, the mean standard deviation over the sample's group. Karras
    et al. 2017, arXiv:1710.10196, section 3; in groups as in Karras et al. 2019, arXiv:1912.04958.

    A group has 4 samples, or the next smaller number that divides the batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        group = next(g for g in range(min(GROUP_SIZE, n), 0, -1) if n % g == 0)
        grouped = x.float().view(group, n // group, *x.shape[1:])  # (g, n/g, c, h, w)
        deviation = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # (n/g,)
        channel = deviation.repeat(group).view(n, 1, 1, 1).expand(n, 1, height, width)
        return torch.cat([x, channel.to(x.dtype)], 1)
