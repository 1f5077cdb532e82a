"""Ways to tell a net which class it is to make or to judge."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

LABEL = 16  # length of an appended embedding


class Appended(nn.Module):
    """Learned embeddings of labels, appended to vectors: the conditional GAN's way. Mirza and
    Osindero 2014, arXiv:1411.1784.

    They are short and start small beside latents of deviation 1: where they are as long and as
    large, G soon makes one picture for each class.

    Args:
        classes: number of labels; 0 for none, and the vectors pass as they are.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.width = LABEL if classes else 0
        self.embedding = nn.Embedding(classes, LABEL) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=0.3)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return x
        return torch.cat([x, self.embedding(label)], dim=1)  # (n, d + width)


class Beside(nn.Module):
    """Learned embeddings of labels beside samples: one more channel of a picture, 16 more numbers of a vector. The
    conditional GAN's way for a D that sees samples as they are.

    Args:
        classes: number of labels; 0 for none, and samples pass as they are.
        shape: of a sample.

    Attributes:
        shape: of a sample with its label.
    """

    def __init__(self, classes: int, shape: Sequence[int]) -> None:
        super().__init__()
        first, *rest = shape
        self._beside = (1, *rest) if rest else (LABEL,)
        self.shape = (first + self._beside[0], *rest) if classes else tuple(shape)
        self.embedding = nn.Embedding(classes, prod(self._beside)) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return x
        return torch.cat([x, self.embedding(label).view(-1, *self._beside)], 1)


class Projected(nn.Module):
    """The last layer of a D: a logit that is linear in the features, plus their inner product with
    the label's embedding. Miyato and Koyama 2018, arXiv:1802.05637.

    Args:
        features: length of the feature vectors.
        classes: number of labels, 0 for none.
        linear: (n, features) -> (n, 1), where it is not an ordinary layer.
    """

    def __init__(self, features: int, classes: int, linear: nn.Module | None = None) -> None:
        super().__init__()
        self.linear = linear or nn.Linear(features, 1)
        self.embedding = nn.Embedding(classes, features) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logit: Tensor = self.linear(h).squeeze(1)  # (n, d) -> (n,)
        if self.embedding is not None:
            logit = logit + (self.embedding(label) * h).sum(1)
        return logit
