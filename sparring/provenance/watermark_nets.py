"""The nets of a watermark: an encoder that hides bits in a picture, and a decoder that reads them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.degrade.pixels import LEVEL

BITS = 32
SIDE = 64  # at which both nets look at pictures of any size
FOLD = 2  # pixels of a side that are folded into channels
WIDTH = 48  # channels of the hidden layers
COARSE = 16  # side of the maps that carry the bits
CARRIERS = 24  # number of these maps


def resized(x: Tensor, height: int, width: int) -> Tensor:
    """Pictures (n, c, h, w) of another size."""
    if x.shape[-2:] == (height, width):
        return x
    return F.interpolate(x, (height, width), mode="bilinear", antialias=True)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.2))


class Encoder(nn.Module):
    """A picture (n, 3, SIDE, SIDE) in [-1, 1] and bits (n, BITS) of -1 and 1 -> what is added to the picture, of the
    same shape, with a root mean square of 1. The nets can so not trade the distance to the picture for bits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Linear(BITS, CARRIERS * COARSE * COARSE)
        self.look = _conv(3 * FOLD * FOLD, WIDTH)
        self.join = nn.Sequential(_conv(WIDTH + CARRIERS, WIDTH), _conv(WIDTH, WIDTH))
        self.out = nn.Conv2d(WIDTH + CARRIERS, 3 * FOLD * FOLD, 3, 1, 1)

    def forward(self, x: Tensor, bits: Tensor) -> Tensor:
        carriers = self.spread(bits).view(-1, CARRIERS, COARSE, COARSE)
        carriers = F.interpolate(carriers, (SIDE // FOLD,) * 2, mode="bilinear")
        hidden = self.join(torch.cat([self.look(F.pixel_unshuffle(x, FOLD)), carriers], 1))
        added: Tensor = F.pixel_shuffle(self.out(torch.cat([hidden, carriers], 1)), FOLD)
        return added / added.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-6)


class Decoder(nn.Module):
    """A picture (n, 3, SIDE, SIDE) in [-1, 1] -> a logit of each bit, (n, BITS)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(3 * FOLD * FOLD, WIDTH),
            _conv(WIDTH, WIDTH),
            _conv(WIDTH, WIDTH, 2),
            nn.Conv2d(WIDTH, CARRIERS, 3, 1, 1),
        )
        self.read = nn.Linear(CARRIERS * COARSE * COARSE, BITS)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.read(self.body(F.pixel_unshuffle(x, FOLD)).flatten(1))
        return logits


class Nets(nn.Module):
    """Both nets, for pictures of any size and 1 or 3 channels.

    Attributes:
        strength: root mean square of what is added, in levels of 256.
    """

    strength: Tensor

    def __init__(self, strength: float = 0.0) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.register_buffer("strength", torch.tensor(strength))

    def embed(self, x: Tensor, bits: Tensor, times: float = 1.0) -> Tensor:
        """Pictures (n, c, h, w) in [-1, 1] with bits (n, BITS) of -1 and 1; not rounded to levels.

        Args:
            times: as strong as usual.
        """
        seen = resized(x, SIDE, SIDE).expand(-1, 3, -1, -1)
        added = resized(self.encoder(seen, bits), *x.shape[-2:])
        if x.shape[1] == 1:
            added = added.mean(1, keepdim=True)
        return (x + times * self.strength * LEVEL * added).clamp(-1, 1)

    def decode(self, x: Tensor) -> Tensor:
        """Logits of the bits, (n, BITS), of pictures (n, c, h, w) in [-1, 1]."""
        logits: Tensor = self.decoder(resized(x, SIDE, SIDE).expand(-1, 3, -1, -1))
        return logits
