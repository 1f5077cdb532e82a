"""Recurrent nets for series. Yoon et al. 2019, "Time-series generative adversarial networks"."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """Series (n, channels, steps) -> (n, out, steps), by gated recurrent units.

    Args:
        channels: of the input.
        out: channels of the output.
        width: units of a layer.
        depth: number of layers.
        squashed: True if the output is in (0, 1).
    """

    def __init__(self, channels: int, out: int, width: int, depth: int, squashed: bool = True) -> None:
        super().__init__()
        self.net = nn.GRU(channels, width, depth, batch_first=True)
        self.end = nn.Linear(width, out)
        self.squashed = squashed

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.end(self.net(x.transpose(1, 2))[0]).transpose(1, 2)
        return torch.sigmoid(y) if self.squashed else y
