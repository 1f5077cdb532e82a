"""The U-Net of pix2pix. Isola et al. 2016, arXiv:1611.07004, section 6.1; Ronneberger et al. 2015, arXiv:1505.04597."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from sparring.nets.image_to_image import ImageToImage

Norm = Literal["batch", "instance", "none"]
Up = Literal["resize", "transposed"]
DROPOUT_LAYERS = 3  # innermost upsampling layers with dropout


def init_normal(module: nn.Module) -> None:
    """Initial weights of the paper: normal with standard deviation 0.02, for `net.apply`."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)


def norm_layers(kind: Norm, channels: int) -> list[nn.Module]:
    """A list with the normalization layer; empty for "none"."""
    if kind == "none":
        return []
    return [nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels)]


def upsampling_layers(kind: Up, before: int, after: int, bias: bool) -> list[nn.Module]:
    """Layers that double the resolution. Transposed convolutions cause checkerboard patterns, nearest-neighbor
    upsampling with a convolution does not: Odena et al. 2016, doi:10.23915/distill.00003.
    """
    if kind == "transposed":
        return [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)]
    return [nn.Upsample(scale_factor=2.0, mode="nearest"), nn.Conv2d(before, after, 3, padding=1, bias=bias)]


def default_depth(size: int) -> int:
    """Number of halvings for images of this size: down to 4 pixels, at least one and at most five."""
    return max(1, min(5, size.bit_length() - 3))


class UNet(ImageToImage):
    """Images (n, given, h, w) -> images (n, channels, h, w) in [-1, 1]; sides are multiples of `stride`.

    Args:
        given, channels: number of channels of the input and of the output.
        width: channels of the first layer; each further layer has twice as many, up to eight times.
        depth: number of halvings.
        norm: after all layers except the first and the innermost.
        up: type of upsampling.
        dropout: rate in the innermost upsampling layers, in training; this is the noise of pix2pix.

    Attributes:
        stride: 2 to the power of depth.
        reach: distance in pixels beyond which an output pixel depends on nothing; None if a norm depends on the whole
            image.
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
        bias = norm != "batch"  # batch norm cancels a bias
        down = partial(nn.Conv2d, kernel_size=4, stride=2, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, after in enumerate(widths):
            first, last = i == 0, i == depth - 1
            layers: list[nn.Module] = [] if first else [nn.LeakyReLU(0.2)]
            layers.append(down(given if first else widths[i - 1], after, bias=bias or first or last))
            self.down.append(nn.Sequential(*layers, *([] if first or last else norm_layers(norm, after))))
        for i in reversed(range(depth)):
            before = widths[i] * (1 if i == depth - 1 else 2)  # concatenated with the skip connection
            if i == 0:
                self.up.append(nn.Sequential(nn.ReLU(), *upsampling_layers(up, before, channels, True), nn.Tanh()))
                continue
            after = widths[i - 1]
            layers = [nn.ReLU(), *upsampling_layers(up, before, after, bias), *norm_layers(norm, after)]
            with_dropout = depth - 1 - DROPOUT_LAYERS <= i < depth - 1
            self.up.append(nn.Sequential(*layers, *([nn.Dropout(dropout)] if with_dropout and dropout else [])))
        self.apply(init_normal)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.up[0](skips.pop())
        for up in self.up[1:]:
            x = up(torch.cat([x, skips.pop()], 1))
        return x
