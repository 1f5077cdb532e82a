"""Layers that let D see a sample beside the others of its batch, so that G cannot make one sample over and over."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.layers.condition import Projected

GROUP = 4  # samples whose deviation is taken together


class Mixing(nn.Module):
    """What a sample becomes depends on the batch around it; `layers.statistics.mixes` asks for this class."""


class MinibatchDiscrimination(Mixing):
    """Features (n, d) -> (n, d + kernels): beside a sample's features, how near it lies to the others of its batch in
    each of several learned projections. Salimans et al. 2016, arXiv:1606.03498, section 3.2.

    Args:
        features: d.
        kernels: B, projections.
        width: C, numbers that a projection has.
    """

    def __init__(self, features: int, kernels: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Linear(features, kernels * width, bias=False)
        nn.init.normal_(self.project.weight, std=(features * width) ** -0.5)

    def forward(self, h: Tensor) -> Tensor:
        m = self.project(h).unflatten(1, (-1, self.width))  # (n, B, C)
        apart = (m[:, None] - m[None]).abs().sum(3)  # (n, n, B)
        near = (-apart.float()).exp().sum(1) - 1  # without itself
        return torch.cat([h, near.to(h.dtype)], 1)


class Comparing(nn.Module):
    """The last layer of a D: a logit of features beside which minibatch discrimination has put how near others lie.

    Args:
        features: length of the feature vectors.
        kernels, width: as of `MinibatchDiscrimination`.
        classes: number of labels, 0 for none.
    """

    def __init__(self, features: int, kernels: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.compare = MinibatchDiscrimination(features, kernels, width)
        self.head = Projected(features + kernels, classes)

    def forward(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.compare(h), label)
        return logits


class Deviation(Mixing):
    """Maps (n, c, h, w) -> (n, c + 1, h, w): beside a sample's maps, the mean standard deviation of its group. Karras
    et al. 2017, arXiv:1710.10196, section 3; in groups as in Karras et al. 2019, arXiv:1912.04958.

    Groups have 4 samples, or as few fewer as divide the batch.
    """

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        group = next(g for g in range(min(GROUP, n), 0, -1) if n % g == 0)
        grouped = x.float().view(group, n // group, *x.shape[1:])  # (g, n/g, c, h, w)
        spread = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # (n/g,)
        channel = spread.repeat(group).view(n, 1, 1, 1).expand(n, 1, height, width)
        return torch.cat([x, channel.to(x.dtype)], 1)
