"""Gated convolutions, which learn which pixels of an image with holes are valid. Yu et al. 2018, arXiv:1806.03589."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import init_he
from sparring.layers.resample import double
from sparring.nets.image_to_image import ImageToImage

DILATIONS = (2, 4, 8)  # of the innermost layers, so that distant pixels can fill a hole


class Gated(nn.Module):
    """(n, before, h, w) -> (n, after, h, w), or half the size: features times a gate in (0, 1)."""

    def __init__(self, before: int, after: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, 2 * after, 3, stride, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        features, gate = self.conv(x).chunk(2, 1)
        y: Tensor = F.elu(features) * gate.sigmoid()
        return y


class Inpainter(ImageToImage):
    """Images with holes and a mask (n, channels + 1, h, w), 1 in holes and -1 elsewhere, -> images (n, channels, h, w).
    Pixels outside the holes are not changed. Sides are multiples of `stride`.

    Args:
        channels: of the images.
        width: channels of the first layer; the innermost layers have four times as many.

    Attributes:
        reach: distance in pixels beyond which an output pixel depends on nothing.
    """

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.channels, self.times, self.stride = channels, 1, 4
        wide, middle = 2 * width, 4 * width
        self.first = Gated(channels + 1, width)
        self.halved = nn.Sequential(Gated(width, wide, stride=2), Gated(wide, wide))
        self.quartered = nn.Sequential(
            Gated(wide, middle, stride=2), Gated(middle, middle),
            *(Gated(middle, middle, dilation=dilation) for dilation in DILATIONS), Gated(middle, middle),
        )  # fmt: skip
        self.to_half, self.to_whole = Gated(middle + wide, wide), Gated(wide + width, width)
        self.last = nn.Conv2d(width, channels, 3, padding=1)
        self.reach = 4 * (4 + sum(DILATIONS)) + 16
        self.apply(init_he)

    def forward(self, x: Tensor) -> Tensor:
        hole = (x[:, self.channels :] > 0).to(x.dtype)
        valid = (1 - hole) * x[:, : self.channels]
        whole = self.first(torch.cat([valid, x[:, self.channels :]], 1))
        half = self.halved(whole)
        h = self.to_half(torch.cat([double(self.quartered(half)), half], 1))
        h = self.to_whole(torch.cat([double(h), whole], 1))
        y: Tensor = hole * self.last(h).float().tanh() + valid
        return y
