"""Layers that condition a net on a class, or on the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING_LENGTH = 16  # of an appended embedding of a class
COLUMN_LENGTH, MAX_LENGTH = 8, 128  # of an appended embedding of columns: for each column, and at most


@dataclass(frozen=True)
class Columns:
    """What a condition consists of if it is a row of a table: for each column a code, then scalars; float (n, width).

    Attributes:
        widths: number of codes of each column.
        scalars: for each scalar in [-1, 1], the column of numbers whose code it refines.
    """

    widths: tuple[int, ...]
    scalars: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Length of a condition."""
        return len(self.widths) + len(self.scalars)


Condition = int | Columns  # the number of classes, 0 if there is no condition; or columns


class RowEmbedding(nn.Module):
    """A learned vector for each code of each column and for each scalar, summed over a row: (n, width) -> (n, length).

    The sum is divided by the square root of the number of columns, so that it is as large as an embedding of a class.
    """

    begins: Tensor

    def __init__(self, columns: Columns, length: int) -> None:
        super().__init__()
        widths = torch.tensor(columns.widths)
        self.columns, self.scale = len(widths), len(widths) ** -0.5
        self.register_buffer("begins", widths.cumsum(0) - widths, persistent=False)
        self.weight = nn.Parameter(torch.randn(sum(columns.widths) + len(columns.scalars), length))
        self.scalars = len(columns.scalars)

    def forward(self, condition: Tensor) -> Tensor:
        codes = condition[:, : self.columns].long() + self.begins
        total = F.embedding(codes, self.weight).sum(1)  # (n, columns, length) -> (n, length)
        if self.scalars:
            total = total + condition[:, self.columns :].to(total.dtype) @ self.weight[-self.scalars :].to(total.dtype)
        scaled: Tensor = total * self.scale
        return scaled


def embedding(condition: Condition, length: int) -> nn.Embedding | RowEmbedding | None:
    """A layer from conditions to vectors (n, length); None if there is no condition."""
    if isinstance(condition, Columns):
        return RowEmbedding(condition, length)
    return nn.Embedding(condition, length) if condition else None


def typical(condition: Condition, n: int, device: torch.device) -> Tensor | None:
    """Conditions of n samples, the same each time: classes in turn, or random codes; None if there is no condition."""
    if not isinstance(condition, Columns):
        return torch.arange(n, device=device) % condition if condition else None
    generator = torch.Generator().manual_seed(0)
    codes = torch.rand(n, len(condition.widths), generator=generator) * torch.tensor(condition.widths)
    return torch.cat([codes.floor(), torch.zeros(n, len(condition.scalars))], 1).to(device)


def places(condition: Condition) -> int:
    """Number of logits that predict a condition: one for each class, or for each code of each column."""
    return sum(condition.widths) if isinstance(condition, Columns) else condition


def cross_entropy(logits: Tensor, condition: Tensor, of: Condition) -> Tensor:
    """Cross-entropy of classes, or its mean over the columns, (n, places) -> ()."""
    if not isinstance(of, Columns):
        return F.cross_entropy(logits, condition)
    parts = zip(torch.split(logits, list(of.widths), 1), condition.long().unbind(1), strict=False)
    return torch.stack([F.cross_entropy(part, codes) for part, codes in parts]).mean()


class Appended(nn.Module):
    """Learned embeddings of conditions, appended to vectors, as in the conditional GAN. Mirza and Osindero 2014,
    arXiv:1411.1784.

    Compared with latents of standard deviation 1, the embeddings are short and start small. With embeddings as long
    and as large as the latents, G soon generates a single image per class.

    Args:
        condition: number of classes, or columns; with 0, vectors pass unchanged.
    """

    def __init__(self, condition: Condition) -> None:
        super().__init__()
        length = EMBEDDING_LENGTH
        if isinstance(condition, Columns):
            length = min(MAX_LENGTH, max(length, COLUMN_LENGTH * len(condition.widths)))
        self.width = length if condition else 0
        self.embedding = embedding(condition, length)
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=0.3)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return x
        return torch.cat([x, self.embedding(label)], dim=1)  # (n, d + width)


class LabelChannel(nn.Module):
    """Learned embeddings of conditions as part of samples: one more channel of an image, 16 more values of a vector.
    Used by conditional discriminators whose first layer receives the sample.

    Args:
        condition: number of classes, or columns; with 0, samples pass unchanged.
        shape: of a sample.

    Attributes:
        shape: of a sample with its condition.
    """

    def __init__(self, condition: Condition, shape: Sequence[int]) -> None:
        super().__init__()
        first, *rest = shape
        self._channel = (1, *rest) if rest else (EMBEDDING_LENGTH,)
        self.shape = (first + self._channel[0], *rest) if condition else tuple(shape)
        self.embedding = embedding(condition, prod(self._channel))

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return x
        return torch.cat([x, self.embedding(label).view(-1, *self._channel)], 1)


class Projected(nn.Module):
    """The last layer of a D: a logit that is linear in the features, plus their inner product with the condition's
    embedding. Miyato and Koyama 2018, arXiv:1802.05637.

    Args:
        features: length of the feature vectors.
        condition: number of classes, or columns; 0 for none.
        linear: (n, features) -> (n, 1); an ordinary linear layer unless given.
    """

    def __init__(self, features: int, condition: Condition, linear: nn.Module | None = None) -> None:
        super().__init__()
        self.linear = linear or nn.Linear(features, 1)
        self.embedding = embedding(condition, features)
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logit: Tensor = self.linear(h).squeeze(1)  # (n, d) -> (n,)
        if self.embedding is not None:
            logit = logit + (self.embedding(label) * h).sum(1)
        return logit
