"""The U-Net of pix2pix. Isola et al. 2016, arXiv:1611.07004, section 6.1; Ronneberger et al. 2015, arXiv:1505.04597."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from sparring.nets.picture_net import PictureNet

Norm = Literal["batch", "instance", "none"]
Up = Literal["resize", "transposed"]
DROPPED = 3  # innermost layers that are doubled with dropout


def normal(module: nn.Module) -> None:
    """Weights as in the paper: normal with standard deviation 0.02, for `net.apply`."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)


def normed(kind: Norm, channels: int) -> list[nn.Module]:
    """A norm as a list of layers, none for none."""
    if kind == "none":
        return []
    return [nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels)]


def doubled(kind: Up, before: int, after: int, bias: bool) -> list[nn.Module]:
    """Layers that double a picture. Transposed convolutions leave a checkerboard, which nearest neighbours and a
    convolution do not: Odena et al. 2016, doi:10.23915/distill.00003.
    """
    if kind == "transposed":
        return [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)]
    return [nn.Upsample(scale_factor=2.0, mode="nearest"), nn.Conv2d(before, after, 3, padding=1, bias=bias)]


class UNet(PictureNet):
    """Pictures (n, given, h, w) -> pictures (n, channels, h, w) in [-1, 1]; sides are multiples of `stride`.

    Args:
        given, channels: of the pictures that it takes, and of those that it makes.
        width: channels of the first layer; each further has twice as many, up to eight times.
        depth: how often the picture is halved.
        norm: after all layers but the first and the innermost.
        up: how it is doubled.
        dropout: share of units that the innermost doublings drop, while training: the noise of pix2pix.

    Attributes:
        stride: 2 to the power of depth.
        reach: pixels beyond which nothing changes an output; None where a norm looks at the whole picture.
    """

    def __init__(
        self,
        given: int,
        channels: int,
        width: int = 64,
        depth: int = 8,
        norm: Norm = "batch",
        up: Up = "transposed",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.times, self.stride = 1, 2**depth
        self.reach = None if norm == "instance" else 3 * 2**depth
        widths = [width * min(8, 2**i) for i in range(depth)]
        plain = norm != "batch"  # a bias beside batch norm is idle
        down = partial(nn.Conv2d, kernel_size=4, stride=2, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, after in enumerate(widths):
            first, last = i == 0, i == depth - 1
            layers: list[nn.Module] = [] if first else [nn.LeakyReLU(0.2)]
            layers.append(down(given if first else widths[i - 1], after, bias=plain or first or last))
            self.down.append(nn.Sequential(*layers, *([] if first or last else normed(norm, after))))
        for i in reversed(range(depth)):
            before = widths[i] * (1 if i == depth - 1 else 2)  # beside what was halved
            if i == 0:
                self.up.append(nn.Sequential(nn.ReLU(), *doubled(up, before, channels, True), nn.Tanh()))
                continue
            after = widths[i - 1]
            layers = [nn.ReLU(), *doubled(up, before, after, plain), *normed(norm, after)]
            dropped = depth - 1 - DROPPED <= i < depth - 1
            self.up.append(nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropped and dropout else [])))
        self.apply(normal)

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for down in self.down:
            x = down(x)
            seen.append(x)
        x = self.up[0](seen.pop())
        for up in self.up[1:]:
            x = up(torch.cat([x, seen.pop()], 1))
        return x
