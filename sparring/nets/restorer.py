"""Nets that restore: residual blocks at the size of what they are given, and a last layer that enlarges. Ledig et al.
2016, arXiv:1609.04802 (SRResNet); Wang et al. 2018, arXiv:1809.00219 (ESRGAN); Lim et al. 2017, arXiv:1707.02921, for
blocks without norm; Shi et al. 2016, arXiv:1609.05158, for enlarging by shuffling.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import scaled
from sparring.nets.picture_net import PictureNet

Block = Literal["residual", "dense"]
Enlarging = Literal["last", "steps"]
DAMPED = 0.2  # what a dense block's output is scaled by before it is added
DENSE = 5  # convolutions of a dense block


class Residual(nn.Module):
    """(n, c, h, w) -> the same: two convolutions, added to what they take."""

    reach = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        conv1, conv2 = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.layers = nn.Sequential(conv1, nn.LeakyReLU(0.2), conv2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Dense(nn.Module):
    """(n, c, h, w) -> the same: five convolutions, each of which sees all before it."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        widths = [channels + i * growth for i in range(DENSE)]
        self.convs = nn.ModuleList(nn.Conv2d(w, growth, 3, padding=1) for w in widths[:-1])
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for conv in self.convs:
            seen.append(F.leaky_relu(conv(torch.cat(seen, 1)), 0.2))
        y: Tensor = x + DAMPED * self.last(torch.cat(seen, 1))
        return y


class ResidualDense(nn.Module):
    """ESRGAN's block: three dense ones within a residual one."""

    reach = 3 * DENSE

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Dense(channels, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + DAMPED * self.blocks(x)
        return y


class Restorer(PictureNet):
    """Degraded pictures (n, given, h, w) -> pictures (n, channels, times h, times w). It adds to what it is given,
    enlarged bicubically, so that before the first step it is bicubic enlargement.

    Args:
        given, channels: of the pictures that it takes, and of those that it makes.
        times: how many times larger these are: 1, 2, 3, 4 or 8.
        width: channels of every layer.
        depth: blocks.
        block: "residual" as in SRGAN, without its batch norm; "dense" as in ESRGAN.
        growth: channels that a convolution of a dense block adds.
        enlarging: by the "last" layer at once, or in "steps" of 2, as the papers do, which takes several times as long.

    Attributes:
        reach: pixels of what is given beyond which nothing changes an output.
    """

    def __init__(
        self,
        given: int,
        channels: int,
        times: int,
        width: int = 64,
        depth: int = 16,
        block: Block = "residual",
        growth: int = 32,
        enlarging: Enlarging = "last",
    ) -> None:
        super().__init__()
        self.channels, self.times, self.stride = channels, times, 1
        self.first = nn.Conv2d(given, width, 3, padding=1)
        self.blocks = nn.Sequential(
            *(Residual(width) if block == "residual" else ResidualDense(width, growth) for _ in range(depth))
        )
        self.after = nn.Conv2d(width, width, 3, padding=1)
        steps = _steps(times) if enlarging == "steps" else []
        self.larger = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in steps)
        self.steps = tuple(steps)
        left = 1 if steps else times
        self.last = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, channels * left**2, 3, padding=1), nn.PixelShuffle(left),
        )  # fmt: skip
        reach = (Residual if block == "residual" else ResidualDense).reach
        self.reach = 4 + depth * reach + len(steps)  # with two more for the bicubic kernel, beside the rest
        self.apply(scaled)
        for net in (*self.blocks.modules(), self.last[2]):
            if isinstance(net, nn.Conv2d):  # blocks that begin near nothing are learnt soonest
                nn.init.normal_(net.weight, std=0.02)
        nn.init.zeros_(self.last[2].get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        h = h + self.after(self.blocks(h))
        for times, conv in zip(self.steps, self.larger, strict=True):
            h = F.leaky_relu(conv(F.interpolate(h, scale_factor=float(times), mode="nearest")), 0.2)
        made: Tensor = self.last(h).float()  # what bf16 rounds is small beside what it is added to
        return made + enlarged(x.float(), self.times)[:, : self.channels].expand_as(made)


def _steps(times: int) -> list[int]:
    return [3] if times == 3 else [2] * (times.bit_length() - 1)


def enlarged(x: Tensor, times: int) -> Tensor:
    """Bicubic enlargement, (n, c, h, w) -> (n, c, times h, times w), with the kernel of Keys 1981, a = -1/2."""
    if times == 1:
        return x
    return F.interpolate(x, scale_factor=float(times), mode="bicubic", antialias=True)
