"""The interface of all nets that transform signals: recordings, or spectrograms frame by frame."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from sparring.nets.item_to_item import ItemToItem


class SignalToSignal(ItemToItem):
    """Given signals (n, given, length) -> signals (n, channels, times length).

    Attributes:
        silence: the value with which signals are padded: 0 for recordings, the logarithm of the smallest magnitude for
            log-mel spectrograms.
    """

    silence: float = 0.0

    def padded(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        if length % self.stride:
            x = F.pad(x, (0, -length % self.stride), value=self.silence)
        y: Tensor = self(x)
        return y[..., : length * self.times]
