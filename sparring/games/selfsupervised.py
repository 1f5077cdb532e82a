"""Self-supervision of D: real images are reconstructed from its features."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.terms import Term
from sparring.games.translation import perceptual_loss
from sparring.nets.fastgan import Decoder, Discriminator


class Redrawn(Term):
    """Mean absolute difference between real images and the reconstructions of two decoders from D's features: the whole
    image at half its size from the lowest feature maps, and a random quarter from the same quarter of the maps before.
    Liu et al. 2021, arXiv:2101.04775, section 3.2.

    Args:
        D: the discriminator.
        channels, size: of the images.
        weight: of the term.
        perceptual: weight of the perceptual distance, which is the paper's, relative to the absolute difference.
    """

    def __init__(self, D: Discriminator, channels: int, size: int, weight: float, perceptual: float = 0.0) -> None:
        super().__init__("redrawn", weight)
        self.perceptual = perceptual
        self._D = (D,)  # in a tuple, so that its weights stay D's own
        self.size = half = size // 2
        self.whole = Decoder(D.low[0], channels, half, len(D.downs) - 1)
        self.part = Decoder(D.high[0], channels, half, len(D.downs) - 1)

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        (D,) = self._D
        high, low = D.maps(outputs.on_real.features)
        small = F.interpolate(outputs.real, (self.size, self.size), mode="area")
        which = torch.randint(4, (1,), device=small.device)
        maps, part = _quarter(high, which), _quarter(outputs.real, which)
        whole, quarter = self.whole(low).float(), self.part(maps).float()
        apart = F.l1_loss(whole, small) + F.l1_loss(quarter, part)
        if self.perceptual:
            apart = apart + self.perceptual * (perceptual_loss(whole, small) + perceptual_loss(quarter, part))
        return apart


def _quarter(x: Tensor, which: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, c, h // 2, w // 2), one of the four corners, chosen on the device."""
    half = x.shape[-1] // 2
    corners = [x[..., i, j] for i in (slice(half), slice(-half, None)) for j in (slice(half), slice(-half, None))]
    return torch.stack(corners).index_select(0, which)[0]
