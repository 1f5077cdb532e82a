"""Temporal convolutional nets, Bai et al. 2018, arXiv:1803.01271; as in Wiese et al. 2019, arXiv:1907.06673."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from sparring.layers.initial import init_he
from sparring.nets.discriminator import Discriminator as Base

Relu = Literal["learned", "leaky"]  # slope for negative values: learned, or fixed, which is faster
MAX_CHUNK = 8192  # time steps that are generated at a time when no gradient is needed


def receptive(depth: int) -> int:
    """Receptive field in time steps: kernels of two, dilations 1, 2, 4, ..., two convolutions per block."""
    return int(2 ** (depth + 1) - 1)


def depth_for(window: int) -> int:
    """The largest number of blocks, besides the first, whose receptive field is not longer than the window."""
    depth = 1
    while receptive(depth + 1) <= window:
        depth += 1
    return depth


def _relu(relu: Relu) -> nn.Module:
    return nn.PReLU() if relu == "learned" else nn.LeakyReLU(0.2, inplace=True)


class Block(nn.Module):
    """Two causal convolutions without padding: (n, channels, steps) -> (n, width, steps - 2 x dilation)."""

    def __init__(self, channels: int, width: int, kernel: int, dilation: int, relu: Relu) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(channels, width, kernel, dilation=dilation), _relu(relu),
            nn.Conv1d(width, width, kernel, dilation=dilation), _relu(relu),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.layers(x)
        return h


class TCN(nn.Module):
    """Causal convolutions whose dilation doubles from block to block, with a skip connection from each block to the
    end.

    (n, channels, steps) -> (n, out, steps - receptive(depth) + 1).

    Args:
        channels: of the input.
        out: channels of the output.
        width: channels of the hidden layers.
        depth: number of blocks after the first, whose kernel has one step.
        relu: activation of the hidden layers.
    """

    def __init__(self, channels: int, out: int, width: int, depth: int, relu: Relu) -> None:
        super().__init__()
        self.receptive = receptive(depth)
        first = Block(channels, width, 1, 1, relu)
        self.blocks = nn.ModuleList([first, *(Block(width, width, 2, 2**i, relu) for i in range(depth))])
        self.ways = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in self.blocks)
        self.end = nn.Conv1d(width, out, 1)
        self.apply(init_he)

    def hidden(self, x: Tensor) -> Tensor:
        """Input of the last layer, (n, width, steps - receptive(depth) + 1)."""
        length = x.shape[2] - self.receptive + 1
        total = torch.zeros((), device=x.device)
        for block, skip in zip(self.blocks, self.ways, strict=True):
            x = block(x)
            total = total + skip(x[:, :, -length:])
        return total

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.end(self.hidden(x))
        return y


class Generator(nn.Module):
    """Latents of each time step and of those before the first, (n, z x steps) -> series (n, channels, steps - before).

    Args:
        z: latents per time step.
        channels: of the series.
        width: channels of the hidden layers.
        depth, relu: as for `TCN`.
    """

    def __init__(self, z: int, channels: int, width: int, depth: int, relu: Relu) -> None:
        super().__init__()
        self.z = z
        self.net = TCN(z, channels, width, depth, relu)

    @property
    def before(self) -> int:
        """Number of time steps before the series for which latents are needed."""
        return self.net.receptive - 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        steps = z.view(z.shape[0], -1, self.z).transpose(1, 2)
        if torch.is_grad_enabled() or steps.shape[2] <= MAX_CHUNK:
            series: Tensor = self.net(steps)
            return series
        starts = range(0, steps.shape[2] - self.before, MAX_CHUNK)
        return torch.cat([self.net(steps[:, :, i : i + MAX_CHUNK + self.before]) for i in starts], 2)


class Discriminator(Base):
    """Series (n, channels, steps) -> logits (n, steps - receptive(depth) + 1), one per position of the receptive field.

    Args:
        channels: of the series.
        width: channels of the hidden layers.
        depth, relu: as for `TCN`.
        window: length of the judged series in time steps.
    """

    def __init__(self, channels: int, width: int, depth: int, window: int, relu: Relu) -> None:
        super().__init__()
        self.net = TCN(channels, 1, width, depth, relu)
        self.positions = window - self.net.receptive + 1
        self.length = width * self.positions

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.net.hidden(x).flatten(1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.net.end(h.view(len(h), -1, self.positions))
        return logits.squeeze(1)
