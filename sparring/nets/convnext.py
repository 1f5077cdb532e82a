"""A stack of ConvNeXt blocks over time. Liu et al. 2022, arXiv:2201.03545, in one dimension as in Siuzdak 2023,
arXiv:2306.00814, section 3.2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

KERNEL = 7
EXPANSION = 3  # width of the inner layer of a block / width of the block


class Block(nn.Module):
    """(n, width, frames) -> the same shape: a depthwise convolution and two layers per frame, added to the input.

    Args:
        scale: of the added part at the start of training.
    """

    def __init__(self, width: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)  # of each frame alone, so that the reach is that of the convolutions
        self.layers = nn.Sequential(nn.Linear(width, EXPANSION * width), nn.GELU(), nn.Linear(EXPANSION * width, width))
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.depthwise(x).mT)
        y: Tensor = x + (self.scale * self.layers(h)).mT
        return y


class ConvNeXt(nn.Module):
    """(n, given, frames) -> (n, frames, width).

    Args:
        given: channels of the input.
        width: channels of every layer.
        depth: number of blocks.

    Attributes:
        margin: frames on either side on which the first layer depends. The input has that many more than the output, so
            that the caller decides what surrounds a signal.
        reach: frames beyond which the output depends on nothing.
    """

    margin = KERNEL // 2

    def __init__(self, given: int, width: int, depth: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(given, width, KERNEL)
        self.first_norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.Sequential(*(Block(width, 1 / depth) for _ in range(depth)))
        self.last_norm = nn.LayerNorm(width, eps=1e-6)
        self.reach = (depth + 1) * self.margin
        self.apply(_init)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first_norm(self.first(x).mT).mT
        y: Tensor = self.last_norm(self.blocks(h).mT)
        return y


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
