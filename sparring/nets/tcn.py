"""Temporal convolutional nets, Bai et al. 2018, arXiv:1803.01271; as Wiese et al. 2019, arXiv:1907.06673, have them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from sparring.layers.initial import scaled
from sparring.nets.discriminator import Discriminator as Base

Relu = Literal["learnt", "leaky"]  # slopes below 0, which a leaky one is faster without learning
AT_ONCE = 8192  # steps that are made at a time where nothing is learnt


def receptive(depth: int) -> int:
    """Steps that one of the output depends on: with kernels of two and dilations 1, 2, 4, ..., two to a block."""
    return int(2 ** (depth + 1) - 1)


def depth_for(window: int) -> int:
    """Blocks, besides the first, whose receptive field is at most a window."""
    depth = 1
    while receptive(depth + 1) <= window:
        depth += 1
    return depth


def _relu(relu: Relu) -> nn.Module:
    return nn.PReLU() if relu == "learnt" else nn.LeakyReLU(0.2, inplace=True)


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
    """Causal convolutions whose dilation doubles from block to block, with a way from each to the end.

    (n, channels, steps) -> (n, out, steps - receptive(depth) + 1).

    Args:
        channels: of the input.
        out: channels of the output.
        width: channels of the hidden layers.
        depth: blocks after the first, whose kernel is one step.
        relu: between convolutions.
    """

    def __init__(self, channels: int, out: int, width: int, depth: int, relu: Relu) -> None:
        super().__init__()
        self.receptive = receptive(depth)
        first = Block(channels, width, 1, 1, relu)
        self.blocks = nn.ModuleList([first, *(Block(width, width, 2, 2**i, relu) for i in range(depth))])
        self.ways = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in self.blocks)
        self.end = nn.Conv1d(width, out, 1)
        self.apply(scaled)

    def hidden(self, x: Tensor) -> Tensor:
        """What the output is read from, (n, width, steps - receptive(depth) + 1)."""
        length = x.shape[2] - self.receptive + 1
        total = torch.zeros((), device=x.device)
        for block, way in zip(self.blocks, self.ways, strict=True):
            x = block(x)
            total = total + way(x[:, :, -length:])
        return total

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.end(self.hidden(x))
        return made


class Generator(nn.Module):
    """Latents of each step and of those before them, (n, z x steps) -> series (n, channels, steps - before).

    Args:
        z: latents of a step.
        channels: of the series.
        width: channels of the hidden layers.
        depth, relu: of `TCN`.
    """

    def __init__(self, z: int, channels: int, width: int, depth: int, relu: Relu) -> None:
        super().__init__()
        self.z = z
        self.net = TCN(z, channels, width, depth, relu)

    @property
    def before(self) -> int:
        """Steps whose latents come before those of the series."""
        return self.net.receptive - 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        steps = z.view(z.shape[0], -1, self.z).transpose(1, 2)
        if torch.is_grad_enabled() or steps.shape[2] <= AT_ONCE:
            made: Tensor = self.net(steps)
            return made
        starts = range(0, steps.shape[2] - self.before, AT_ONCE)
        return torch.cat([self.net(steps[:, :, i : i + AT_ONCE + self.before]) for i in starts], 2)


class Discriminator(Base):
    """Series (n, channels, steps) -> logits (n, steps - receptive(depth) + 1), one for each stretch that they see.

    Args:
        channels: of the series.
        width: channels of the hidden layers.
        depth, relu: of `TCN`.
        window: steps of what is judged.
    """

    def __init__(self, channels: int, width: int, depth: int, window: int, relu: Relu) -> None:
        super().__init__()
        self.net = TCN(channels, 1, width, depth, relu)
        self.stretches = window - self.net.receptive + 1
        self.length = width * self.stretches

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.net.hidden(x).flatten(1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.net.end(h.view(len(h), -1, self.stretches))
        return logits.squeeze(1)
