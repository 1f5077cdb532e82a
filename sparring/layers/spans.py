"""Rows of mixed kinds: one-hot spans, then scalars, side by side in one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Spans(nn.Module):
    """Logits and noise -> a row: of each span one place, and scalars in (-1, 1).

    All spans are treated by one segmented softmax, however many there are and however wide.

    Args:
        widths: of the one-hot spans, each at least 1.
        scalars: for each scalar, the span that it belongs to, and how many of the span's first places have none: where
            one of these is chosen, the scalar is 0.
        temperature: of the softmax. Jang et al. 2016, arXiv:1611.01144.
        hard: whether samples have one place at exactly 1 (its straight-through estimator); else all are a little soft.
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
        self.temperature, self.hard = temperature, hard
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
        """Of a row."""
        return self.places + len(self.owner)

    def forward(self, made: Tensor, noise: Tensor, given: Tensor | None = None) -> Tensor:
        """Logits of all places and scalars (n, width), and Gumbel noise (n, places), as rows (n, width).

        Args:
            given: codes (n, spans) that are to be so, whatever the logits; negative where they are free.
        """
        soft = self.softmax((made[:, : self.places] + noise) / self.temperature)
        codes = self.codes(soft.detach())
        chosen = self.onehot(codes) - soft.detach() + soft if self.hard else soft
        if given is not None:
            asked = given >= 0
            codes = torch.where(asked, given, codes)
            chosen = torch.where(asked[:, self.span], self.onehot(given), chosen)
        scalars = made[:, self.places :].tanh() * self.has_scalar(codes)
        return torch.cat([chosen, scalars], 1)

    def softmax(self, logits: Tensor) -> Tensor:
        """Of each span of its own, (n, places)."""
        index = self.span.expand(logits.shape[0], -1)
        lowest = logits.new_full((logits.shape[0], self.spans), -torch.inf)
        most = lowest.scatter_reduce(1, index, logits.detach(), "amax")
        powers = (logits - most.gather(1, index)).exp()
        return powers / powers.new_zeros(logits.shape[0], self.spans).index_add(1, self.span, powers).gather(1, index)

    def codes(self, chosen: Tensor) -> Tensor:
        """The greatest place of each span, (n, places) -> int64 (n, spans)."""
        index = self.span.expand(chosen.shape[0], -1)
        lowest = chosen.new_full((chosen.shape[0], self.spans), -torch.inf)
        most = lowest.scatter_reduce(1, index, chosen, "amax").gather(1, index)
        places = torch.where(chosen == most, torch.arange(self.places, device=chosen.device), self.places)
        first = places.new_full((chosen.shape[0], self.spans), self.places).scatter_reduce(1, index, places, "amin")
        return first - self.begins

    def onehot(self, codes: Tensor) -> Tensor:
        """int64 (n, spans) -> (n, places); a span whose code is negative stays 0."""
        rows = torch.zeros(codes.shape[0], self.places, device=codes.device)
        return rows.scatter_(1, codes.clamp(min=0) + self.begins, (codes >= 0).float())

    def has_scalar(self, codes: Tensor) -> Tensor:
        """Which scalars are not 0 under these codes, (n, spans) -> float (n, scalars)."""
        return (codes[:, self.owner] >= self.without).float()
