"""A small convolutional autoencoder of images, whose codes are images of a lower resolution. After Esser et al. 2020,
arXiv:2012.09841, without attention and normalization, so that it learns in minutes.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import init_he
from sparring.layers.resample import center_crop

SLOPE = 0.2
MIN_SIDE = 4  # of codes
LOG_VARIANCE = -4.0  # of codes, at the start: with that of a normal distribution, decoding would begin with noise


def halvings_of(size: int, most: int) -> int:
    """Number of halvings of an image of this size, such that its code has four positions a side, if possible."""
    return max([1, *(n for n in range(2, most + 1) if size >= MIN_SIDE << n)])


def code_side(size: int, halvings: int) -> int:
    """Side of the code of an image of this size."""
    return -(-size >> halvings)


class Encoder(nn.Module):
    """Images (n, channels, size, size) -> means and log variances of codes, (n, code, side, side) each.

    Images whose size is no multiple of a power of two are enlarged by their border pixels.

    Args:
        size, channels: of the images.
        code: channels of codes.
        width: channels of the layer next to the image; each further layer has twice as many.
        halvings: of the image.
    """

    def __init__(self, size: int, channels: int, code: int, width: int, halvings: int) -> None:
        super().__init__()
        margin = code_side(size, halvings) * 2**halvings - size
        self.padding = (margin // 2, margin - margin // 2) * 2
        layers: list[nn.Module] = []
        before = channels
        for i in range(halvings):
            layers += [nn.Conv2d(before, width * 2**i, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
            before = width * 2**i
        layers += [nn.Conv2d(before, before, 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 2 * code, 1))
        self.layers.apply(init_he)
        self.register_buffer("start", torch.tensor([0.0, LOG_VARIANCE]).repeat_interleave(code)[:, None, None], False)

    start: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.layers(F.pad(x, self.padding, "replicate")) + self.start
        mean, log_variance = h.chunk(2, 1)
        return mean, log_variance.clamp(-20, 10)


class Decoder(nn.Module):
    """Codes (n, code, side, side) -> images (n, channels, size, size) in [-1, 1], beyond which they may be in training.

    There is no tanh at the end: where it saturates, as on images that are mostly white or transparent, the absolute
    error has no gradient, and the decoder would stay at one constant image.

    Args: as for `Encoder`.
    """

    def __init__(self, size: int, channels: int, code: int, width: int, halvings: int) -> None:
        super().__init__()
        self.size = size
        before = width * 2 ** (halvings - 1)
        layers: list[nn.Module] = [nn.Conv2d(code, before, 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        layers += [nn.Conv2d(before, before, 3, padding=1), nn.LeakyReLU(SLOPE, inplace=True)]
        for _ in range(halvings - 1):
            layers += [_doubling(before, before // 2), nn.LeakyReLU(SLOPE, inplace=True)]
            before //= 2
        self.layers = nn.Sequential(*layers, _doubling(before, channels))
        self.layers.apply(init_he)

    def forward(self, code: Tensor) -> Tensor:
        x: Tensor = self.layers(code)
        return center_crop(x if self.training else x.clamp(-1, 1), self.size)


def _doubling(before: int, after: int) -> nn.ConvTranspose2d:
    """A transposed convolution that preserves the scale of the signal, as `init_he` does for convolutions."""
    layer = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
    nn.init.normal_(layer.weight, std=sqrt(2 / (1 + SLOPE**2) / (4 * before)))  # each output has 2 x 2 inputs
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
