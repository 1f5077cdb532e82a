"""The layout of a table's row as one vector: one-hot spans, then scalars."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Spans(nn.Module):
    """Logits and noise -> a row: one position of each one-hot span, and scalars in (-1, 1).

    One segmented softmax covers all spans, regardless of their number and widths.

    Args:
        widths: of the one-hot spans, each at least 1.
        scalars: for each scalar, the index of its span, and the number of the span's leading positions that have no
            scalar: if one of these is selected, the scalar is 0.
        temperature: of the softmax. Jang et al. 2016, arXiv:1611.01144.
        hard: True if spans of samples are exactly one-hot (the straight-through estimator); otherwise they are soft.
    """

    span: Tensor
    begins: Tensor
    owner: Tensor
    without: Tensor

    def __init__(
        self,
        widths: Sequence[int],
        scalars: Sequence[tuple[int, int]],
        temperature: float = 1.0,
        hard: bool = True,
    ) -> None:
        super().__init__()
        self.temperature, self.hard, self.widths = temperature, hard, tuple(widths)
        self.spans, self.places = len(widths), sum(widths)
        sizes = torch.tensor(widths, dtype=torch.int64)
        begins = sizes.cumsum(0) - sizes
        self.register_buffer("span", torch.arange(self.spans).repeat_interleave(sizes), persistent=False)
        self.register_buffer("begins", begins, persistent=False)
        self.register_buffer("owner", torch.tensor([s for s, _ in scalars], dtype=torch.int64), persistent=False)
        without = torch.tensor([n for _, n in scalars], dtype=torch.int64)
        self.register_buffer("without", without, persistent=False)

    @property
    def width(self) -> int:
        """Length of a row."""
        return self.places + len(self.owner)

    def places_of(self, span: int) -> slice:
        """Positions of a span in a row."""
        begin = sum(self.widths[:span])
        return slice(begin, begin + self.widths[span])

    def forward(self, logits: Tensor, noise: Tensor, codes: Tensor | None = None) -> Tensor:
        """Rows (n, width).

        Args:
            logits: of all positions, then of the scalars, (n, width).
            noise: Gumbel noise, (n, places).
            codes: prescribed position of each span, (n, spans); negative where it is free.
        """
        soft = self.softmax((logits[:, : self.places] + noise) / self.temperature)
        selected = self.codes(soft.detach())
        onehot = self.onehot(selected) - soft.detach() + soft if self.hard else soft
        if codes is not None:
            fixed = codes >= 0
            selected = torch.where(fixed, codes, selected)
            onehot = torch.where(fixed[:, self.span], self.onehot(codes), onehot)
        scalars = logits[:, self.places :].tanh() * self.has_scalar(selected)
        return torch.cat([onehot, scalars], 1)

    def softmax(self, logits: Tensor) -> Tensor:
        """Softmax within each span, (n, places)."""
        index = self.span.expand(logits.shape[0], -1)
        lowest = logits.new_full((logits.shape[0], self.spans), -torch.inf)
        largest = lowest.scatter_reduce(1, index, logits.detach(), "amax")
        powers = (logits - largest.gather(1, index)).exp()
        return powers / powers.new_zeros(logits.shape[0], self.spans).index_add(1, self.span, powers).gather(1, index)

    def codes(self, values: Tensor) -> Tensor:
        """Position of the largest value within each span, (n, places) -> int64 (n, spans)."""
        index = self.span.expand(values.shape[0], -1)
        lowest = values.new_full((values.shape[0], self.spans), -torch.inf)
        largest = lowest.scatter_reduce(1, index, values, "amax").gather(1, index)
        places = torch.where(values == largest, torch.arange(self.places, device=values.device), self.places)
        first = places.new_full((values.shape[0], self.spans), self.places).scatter_reduce(1, index, places, "amin")
        return first - self.begins

    def onehot(self, codes: Tensor) -> Tensor:
        """int64 (n, spans) -> (n, places); a span whose code is negative stays 0."""
        rows = torch.zeros(codes.shape[0], self.places, device=codes.device)
        return rows.scatter_(1, codes.clamp(min=0) + self.begins, (codes >= 0).float())

    def has_scalar(self, codes: Tensor) -> Tensor:
        """1 for each scalar that may differ from 0 under these codes, (n, spans) -> float (n, scalars)."""
        return (codes[:, self.owner] >= self.without).float()
