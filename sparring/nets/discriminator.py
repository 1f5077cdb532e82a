"""The interface of all discriminators: features, and logits computed from them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from sparring.losses.adversarial import Logits


class Discriminator(nn.Module, ABC):
    """Samples (n, ...)[, labels (n,)] -> logits. Other heads may use the features too.

    Attributes:
        length: of a sample's feature vector.
        pack: samples that are judged together. Logits are then (n / pack,).
    """

    length: int
    pack: int = 1

    @abstractmethod
    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Samples (n, ...) as vectors (n, length)."""

    @abstractmethod
    def judge(self, h: Tensor, label: Tensor | None = None) -> Logits:
        """The logits of features (n, length)."""

    def forward(self, x: Tensor, label: Tensor | None = None) -> Logits:
        return self.judge(self.features(x, label), label)
