"""What a discriminator and a score see of a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from sparring.nets.sequence import until_end

SINGLE, PAIRED = 32, 31  # features of tokens, and of pairs of tokens


@dataclass(frozen=True)
class View:
    """Codes of texts.

    Attributes:
        unknown: code of a token that is not learned; -1 if there is none.
        tokens: number of tokens.
    """

    unknown: int
    tokens: int

    def __call__(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (n, length) as they are, and which texts are valid (n,): not empty, and without unknown tokens."""
        return codes, (codes[:, 0] > 0) & (codes != self.unknown).all(1)

    @cached_property
    def _directions(self) -> tuple[Tensor, Tensor, Tensor]:
        """Random vectors of tokens, (tokens + 1, width)."""
        generator = torch.Generator().manual_seed(0)
        single, first, second = (
            torch.randn(self.tokens + 1, width, generator=generator) for width in (SINGLE, PAIRED, PAIRED)
        )
        return single, first, second

    def features(self, codes: Tensor) -> Tensor:
        """What texts are scored by, (n, 64): sums of random vectors of tokens and of pairs of neighbors, divided by the
        square root of their number, and the logarithm of the number.
        """
        known = until_end(codes)[..., None]
        single, first, second = (direction.to(codes.device)[codes] * known for direction in self._directions)
        count = known.sum(1).float().clamp(min=1)
        pairs = (first[:, :-1] * second[:, 1:]).sum(1)
        return torch.cat([single.sum(1) / count.sqrt(), pairs / count.sqrt(), count.log()], 1)
