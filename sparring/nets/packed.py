"""A discriminator that judges several samples together, each with its label."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.layers.condition import Condition, LabelChannel
from sparring.losses.adversarial import Logits
from sparring.nets.discriminator import Discriminator


class Packed(Discriminator):
    """Samples (n, *shape)[, labels (n,)] -> logits of n/pack packs. Lin et al. 2017, arXiv:1712.04086; with packs of
    one, the conditional GAN's discriminator, Mirza and Osindero 2014, arXiv:1411.1784.

    Args:
        build: builds the net that judges packs, for a given shape: that of a sample with pack times the channels or
            coordinates.
        shape: of a sample.
        pack: samples judged together.
        condition: number of classes, or columns; 0 for none; their embeddings become part of each sample.
    """

    def __init__(
        self,
        build: Callable[[tuple[int, ...]], Discriminator],
        shape: Sequence[int],
        pack: int = 1,
        condition: Condition = 0,
    ) -> None:
        super().__init__()
        self.pack = pack
        self.beside = LabelChannel(condition, shape)
        first, *rest = self.beside.shape
        self.net = build((pack * first, *rest))
        self.length = self.net.length

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        if len(x) % self.pack:
            raise InputError(f"{len(x)} samples do not split into packs of {self.pack}; give another batch=")
        packs = self.beside(x, label).unflatten(0, (-1, self.pack)).flatten(1, 2)  # (n/pack, pack * c, ...)
        return self.net.features(packs)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Logits:  # noqa: ARG002
        return self.net.judge(h)


def logits(D: Discriminator, x: Tensor, condition: Tensor | None = None) -> Logits:
    """D's logits for each sample (n, ...). If D judges packs, each pack holds a sample and those after it."""
    if D.pack == 1:
        return D(x, condition)  # type: ignore[no-any-return]
    packs = [x if k == 0 else x.detach().roll(-k, 0) for k in range(D.pack)]
    conditions = None
    if condition is not None:
        conditions = torch.stack([condition.roll(-k, 0) for k in range(D.pack)], 1).flatten(0, 1)
    return D(torch.stack(packs, 1).flatten(0, 1), conditions)  # type: ignore[no-any-return]


def score(output: Logits) -> Tensor:
    """One number for each sample, (n,): the mean over patches and over the parts of D."""
    parts = [output] if isinstance(output, Tensor) else list(output)
    return torch.stack([part.float().flatten(1).mean(1) if part.ndim > 1 else part.float() for part in parts]).mean(0)
