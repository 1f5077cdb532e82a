"""R3GAN's residual nets: no normalization, grouped convolutions, the same blocks in G and D. Huang et al. 2024,
arXiv:2501.05441.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Appended, Condition, embedding
from sparring.layers.resample import center_crop, double, halve
from sparring.nets.discriminator import Discriminator as Base

SLOPE = 0.2
GAIN = sqrt(2 / (1 + SLOPE**2))  # preserves the second moment through a leaky ReLU


def _init(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """Draw a layer's weights from a normal distribution of standard deviation gain / sqrt(fan in)."""
    fan_in = prod(layer.weight.shape[1:])
    nn.init.normal_(layer.weight, std=gain / sqrt(fan_in)) if gain else nn.init.zeros_(layer.weight)
    return layer


def _conv(before: int, after: int, kernel: int, groups: int = 1, gain: float = 1.0) -> nn.Module:
    layer = nn.Conv2d(before, after, kernel, padding=kernel // 2, groups=groups, bias=False)
    return _init(layer, gain)


class Biased(nn.Module):
    """A learned bias, then leaky ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.bias[:, None, None], SLOPE)


class Block(nn.Module):
    """An inverted residual bottleneck: 1 x 1 widening, grouped 3 x 3, 1 x 1 narrowing. The last convolution starts at
    zero, so that the block starts as the identity (Zhang et al. 2019, arXiv:1901.09321).

    Args:
        channels: of input and output.
        groups: of the 3 x 3 convolution.
        expansion: inner width / outer width.
        blocks: number of residual blocks of the whole net; with more blocks, the initial weights are smaller.
    """

    def __init__(self, channels: int, groups: int, expansion: int, blocks: int) -> None:
        super().__init__()
        inside = channels * expansion
        gain = GAIN * blocks ** (-1 / 4)  # three convolutions: L ** (-1 / (2 * 3 - 2))
        self.widen = _conv(channels, inside, 1, gain=gain)
        self.mix = _conv(inside, inside, 3, groups=groups, gain=gain)
        self.narrow = _conv(inside, channels, 1, gain=0.0)
        self.act1, self.act2 = Biased(inside), Biased(inside)

    def forward(self, x: Tensor) -> Tensor:
        h = self.mix(self.act1(self.widen(x)))
        y: Tensor = x + self.narrow(self.act2(h))
        return y


def _stage(channels: int, group: int, expansion: int, depth: int, blocks: int) -> nn.Sequential:
    inside = channels * expansion
    # The next smaller number of groups that divides the channels.
    groups = next(g for g in range(max(1, inside // group), 0, -1) if inside % g == 0)
    return nn.Sequential(*[Block(channels, groups, expansion, blocks) for _ in range(depth)])


def _match(before: int, after: int) -> nn.Module:
    return nn.Identity() if before == after else _conv(before, after, 1)


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size), unbounded.

    Args:
        latents: length of the latent vector.
        size: height and width of the images.
        channels: of the images, 1 to 4.
        widths: channels of each stage, from the lowest resolution to the highest; each stage except the first doubles
            the resolution.
        depth: number of residual blocks per stage.
        group: channels per group of the 3 x 3 convolutions; more if this does not divide the channels.
        expansion: inner width / outer width of a block.
        condition: number of classes, or columns; 0 for none.
    """

    def __init__(
        self,
        latents: int,
        size: int,
        channels: int,
        widths: Sequence[int],
        depth: int = 2,
        group: int = 16,
        expansion: int = 2,
        condition: Condition = 0,
    ) -> None:
        super().__init__()
        self.size = size
        self.condition = Appended(condition)
        base = ceil(size / 2 ** (len(widths) - 1))
        self.basis = nn.Parameter(torch.randn(widths[0], base, base))
        self.linear = _init(nn.Linear(latents + self.condition.width, widths[0], bias=False))
        blocks = depth * len(widths)
        self.matches = nn.ModuleList(
            _match(before, after) for before, after in zip([widths[0], *widths], widths, strict=False)
        )
        self.stages = nn.ModuleList(_stage(w, group, expansion, depth, blocks) for w in widths)
        self.picture = _conv(widths[-1], channels, 1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x: Tensor = self.basis * self.linear(self.condition(z, label))[:, :, None, None]
        for i, (match, stage) in enumerate(zip(self.matches, self.stages, strict=True)):
            x = stage(match(double(x)) if i else x)
        x = self.picture(x)
        return center_crop(x, self.size)


class Discriminator(Base):
    """Images (n, channels, size, size)[, labels (n,)] -> logits (n,).

    Args:
        size, channels: of the images.
        widths: channels of each stage, from the highest resolution to the lowest; each stage except the last is
            followed by a halving.
        depth, group, expansion: as for `Generator`.
        condition: number of classes, or columns; 0 for none. With it, the logit is the inner product of the features
            and its embedding.
    """

    def __init__(
        self,
        size: int,
        channels: int,
        widths: Sequence[int],
        depth: int = 2,
        group: int = 16,
        expansion: int = 2,
        condition: Condition = 0,
    ) -> None:
        super().__init__()
        blocks = depth * len(widths)
        self.first = _conv(channels, widths[0], 1)
        self.stages = nn.ModuleList(_stage(w, group, expansion, depth, blocks) for w in widths)
        self.matches = nn.ModuleList(
            _match(before, after) for before, after in zip(widths, [*widths[1:], widths[-1]], strict=True)
        )
        for _ in widths[1:]:
            size = ceil(size / 2)
        self.length = last = widths[-1]
        # One weight per channel and position: a depthwise convolution over the whole remaining map.
        self.basis = _init(nn.Conv2d(last, last, size, groups=last, bias=False))
        self.head = _init(nn.Linear(last, last if condition else 1, bias=False))
        self.embedding = embedding(condition, last)
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=last**-0.5)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        x = self.first(x)
        for i, (stage, match) in enumerate(zip(self.stages, self.matches, strict=True)):
            x = stage(x)
            x = match(halve(x)) if i < len(self.stages) - 1 else x
        h: Tensor = self.basis(x).flatten(1)  # (n, last)
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.head(h)  # (n, last) or (n, 1)
        return h.squeeze(1) if self.embedding is None else (h * self.embedding(label)).sum(1)
