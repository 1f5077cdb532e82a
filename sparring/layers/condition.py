"""Layers that condition a net on a class label."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

EMBEDDING_LENGTH = 16  # of an appended embedding


class Appended(nn.Module):
    """Learned embeddings of labels, appended to vectors, as in the conditional GAN. Mirza and Osindero 2014,
    arXiv:1411.1784.

    Compared with latents of standard deviation 1, the embeddings are short and start small. With embeddings as long
    and as large as the latents, G soon generates a single image per class.

    Args:
        classes: number of labels; with 0, vectors pass unchanged.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.width = EMBEDDING_LENGTH if classes else 0
        self.embedding = nn.Embedding(classes, EMBEDDING_LENGTH) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=0.3)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return x
        return torch.cat([x, self.embedding(label)], dim=1)  # (n, d + width)


class LabelChannel(nn.Module):
    """Learned embeddings of labels as part of samples: one more channel of an image, 16 more values of a vector. Used
    by conditional discriminators whose first layer receives the sample.

    Args:
        classes: number of labels; with 0, samples pass unchanged.
        shape: of a sample.

    Attributes:
        shape: of a sample with its label.
    """

    def __init__(self, classes: int, shape: Sequence[int]) -> None:
        super().__init__()
        first, *rest = shape
        self._channel = (1, *rest) if rest else (EMBEDDING_LENGTH,)
        self.shape = (first + self._channel[0], *rest) if classes else tuple(shape)
        self.embedding = nn.Embedding(classes, prod(self._channel)) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return x
        return torch.cat([x, self.embedding(label).view(-1, *self._channel)], 1)


class Projected(nn.Module):
    """The last layer of a D: a logit that is linear in the features, plus their inner product with the label's
    embedding. Miyato and Koyama 2018, arXiv:1802.05637.

    Args:
        features: length of the feature vectors.
        classes: number of labels, 0 for none.
        linear: (n, features) -> (n, 1); an ordinary linear layer unless given.
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
