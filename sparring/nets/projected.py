"""The discriminator of Projected GAN, which sees fixed features. Sauer et al. 2021, arXiv:2111.01007."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sparring.layers.condition import Condition, embedding
from sparring.nets import efficientnet_lite
from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.efficientnet_lite import CHANNELS, STRIDE
from sparring.nets.pretrained import as_rgb

SCALES = len(CHANNELS)


class Mixing(nn.Module):
    """Fixed random mixing of maps of four scales, section 3.2 of the paper: across channels by 1 x 1 convolutions, then
    across scales from the lowest resolution up, by 3 x 3 convolutions and bilinear upsampling.

    Maps (n, 24, h, w), (n, 40, h / 2, w / 2), ... -> (n, width, 2h, 2w), (n, width, h, w), (n, 2 width, h / 2, w / 2),
    (n, 4 width, h / 4, w / 4). Its weights are buffers, so that a checkpoint has them.

    Args:
        width: channels of the highest resolution.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = [width * 2**i for i in range(SCALES)]
        for i, (before, between, after) in enumerate(zip(CHANNELS, inner, widths(width), strict=False)):
            self.register_buffer(f"channels{i}", _random(between, before, 1))
            self.register_buffer(f"scales{i}", _random(after, between, 3))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for i in reversed(range(SCALES)):
            x = F.conv2d(maps[i], self.get_buffer(f"channels{i}"))
            x = x + mixed[0] if mixed else x
            x = F.conv2d(x, self.get_buffer(f"scales{i}"), padding=1)  # before upsampling, at a quarter of the cost
            mixed.insert(0, F.interpolate(x, scale_factor=2, mode="bilinear"))
        return mixed


def _random(after: int, before: int, kernel: int) -> Tensor:
    """Random weights of a convolution that keeps the variance. He et al. 2015, arXiv:1502.01852."""
    return nn.init.kaiming_normal_(torch.empty(after, before, kernel, kernel), nonlinearity="linear")


def widths(width: int) -> list[int]:
    """Channels from the highest resolution of the mixed maps down to that of the logits."""
    return [width, *(width * 2**i for i in range(SCALES))]


class Down(nn.Sequential):
    """(n, before, h, w) -> (n, after, h / 2, w / 2)."""

    def __init__(self, before: int, after: int) -> None:
        convolution = spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False))
        super().__init__(convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2))


class Discriminator(Base):
    """Images (n, channels, size, size)[, conditions (n, ...)] -> logits of four discriminators, (n, h, w) each.

    Each discriminator takes the mixed features of one scale. A higher resolution is halved more often, so that all
    logits have the same resolution. The net that computes the features is fixed and the same for every model. It is no
    part of this one: it is loaded when the first images are judged, and no checkpoint or model holds it.

    Args:
        resolution: height and width to which images are resized for the fixed net, a multiple of 32.
        width: channels of the mixed features of the highest resolution; up to eight times as many below.
        condition: number of classes, or columns; 0 for none. The inner product of its embedding and the mean map is
            added.
    """

    def __init__(self, resolution: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        self.resolution, self.side = resolution, resolution // STRIDE
        self.mixing = Mixing(width)
        chain = widths(width)
        self.downs = nn.ModuleList(
            nn.Sequential(*(Down(chain[j], chain[j + 1]) for j in range(i, SCALES))) for i in range(SCALES)
        )
        self.heads = nn.ModuleList(
            spectral_norm(nn.Conv2d(chain[-1], 1, min(4, self.side), bias=False)) for _ in range(SCALES)
        )
        self.embeddings = nn.ModuleList()
        for _ in range(SCALES):
            layer = embedding(condition, chain[-1])
            if layer is not None:
                nn.init.normal_(layer.weight, std=chain[-1] ** -0.5)
                self.embeddings.append(layer)
        self.length = SCALES * chain[-1] * self.side**2

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        side = (self.resolution, self.resolution)
        x = F.interpolate(as_rgb(x.float()), side, mode="bilinear", antialias=True)
        maps = self.mixing(efficientnet_lite.load(x.device)(x))
        return torch.cat([down(m).flatten(1) for down, m in zip(self.downs, maps, strict=True)], 1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> list[Tensor]:
        maps = h.view(len(h), SCALES, -1, self.side, self.side).unbind(1)  # (n, 8 width, side, side) each
        logits = [head(m).squeeze(1) for head, m in zip(self.heads, maps, strict=True)]
        if self.embeddings:
            means = [(e(label) * m.mean((2, 3))).sum(1) for e, m in zip(self.embeddings, maps, strict=True)]
            logits = [y + mean[:, None, None] for y, mean in zip(logits, means, strict=True)]
        return logits
