"""Restoration nets: residual blocks at the size of the input, and a last layer that enlarges. Ledig et al. 2016,
arXiv:1609.04802 (SRResNet); Wang et al. 2018, arXiv:1809.00219 (ESRGAN); Lim et al. 2017, arXiv:1707.02921 (blocks
without norm); Shi et al. 2016, arXiv:1609.05158 (enlargement by pixel shuffling).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.initial import init_he
from sparring.nets.image_to_image import ImageToImage

Block = Literal["residual", "dense"]
Upsampling = Literal["last", "steps"]
RESIDUAL_SCALE = 0.2  # factor of a dense block's output before it is added
DENSE_CONVOLUTIONS = 5  # per dense block


class Residual(nn.Module):
    """(n, c, h, w) -> the same shape: two convolutions, added to their input."""

    reach = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        conv1, conv2 = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.layers = nn.Sequential(conv1, nn.LeakyReLU(0.2), conv2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Dense(nn.Module):
    """(n, c, h, w) -> the same shape: five convolutions, each of which receives the outputs of all earlier ones."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        widths = [channels + i * growth for i in range(DENSE_CONVOLUTIONS)]
        self.convs = nn.ModuleList(nn.Conv2d(w, growth, 3, padding=1) for w in widths[:-1])
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for conv in self.convs:
            maps.append(F.leaky_relu(conv(torch.cat(maps, 1)), 0.2))
        y: Tensor = x + RESIDUAL_SCALE * self.last(torch.cat(maps, 1))
        return y


class ResidualDense(nn.Module):
    """ESRGAN's block: three dense blocks within a residual one."""

    reach = 3 * DENSE_CONVOLUTIONS

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Dense(channels, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + RESIDUAL_SCALE * self.blocks(x)
        return y


class Restorer(ImageToImage):
    """Degraded images (n, given, h, w) -> images (n, channels, times h, times w). The net adds its output to the
    bicubically enlarged input, so that without training it is equal to bicubic enlargement.

    Args:
        given, channels: number of channels of the input and of the output.
        times: factor by which the output is larger: 1, 2, 3, 4 or 8.
        width: channels of every layer.
        depth: number of blocks.
        block: "residual" as in SRGAN, without its batch norm; "dense" as in ESRGAN.
        growth: channels that a convolution of a dense block adds.
        enlarging: in the "last" layer at once, or in "steps" of 2 as in the papers, which takes several times as long.

    Attributes:
        reach: distance in input pixels beyond which an output pixel depends on nothing.
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
        enlarging: Upsampling = "last",
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
        rest = 1 if steps else times
        self.last = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, channels * rest**2, 3, padding=1), nn.PixelShuffle(rest),
        )  # fmt: skip
        reach = (Residual if block == "residual" else ResidualDense).reach
        self.reach = 4 + depth * reach + len(steps)  # of the convolutions; the bicubic kernel's is smaller
        self.apply(init_he)
        for net in (*self.blocks.modules(), self.last[2]):
            if isinstance(net, nn.Conv2d):  # blocks that start near zero learn fastest
                nn.init.normal_(net.weight, std=0.02)
        nn.init.zeros_(self.last[2].get_parameter("weight"))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        h = h + self.after(self.blocks(h))
        for times, conv in zip(self.steps, self.larger, strict=True):
            h = F.leaky_relu(conv(F.interpolate(h, scale_factor=float(times), mode="nearest")), 0.2)
        residual: Tensor = self.last(h).float()  # bf16 rounds this small part only
        return residual + enlarge(x.float(), self.times)[:, : self.channels].expand_as(residual)


def _steps(times: int) -> list[int]:
    return [3] if times == 3 else [2] * (times.bit_length() - 1)


def enlarge(x: Tensor, times: int) -> Tensor:
    """Bicubic enlargement, (n, c, h, w) -> (n, c, times h, times w), with the kernel of Keys 1981, a = -1/2."""
    if times == 1:
        return x
    return F.interpolate(x, scale_factor=float(times), mode="bicubic", antialias=True)
