"""Dense blocks in G and D: each layer receives the outputs of all earlier ones. Huang et al. 2016, arXiv:1608.06993."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Appended, Condition, Projected
from sparring.layers.initial import init_he
from sparring.layers.resample import center_crop, halve
from sparring.nets.dcgan import stages
from sparring.nets.discriminator import Discriminator as Base


class Layer(nn.Module):
    """(n, c, h, w) -> (n, c + growth, h, w): optional batch norm, leaky ReLU, a 1 x 1 and a 3 x 3 convolution, whose
    output is concatenated with the input.
    """

    def __init__(self, channels: int, growth: int, norm: bool) -> None:
        super().__init__()
        inside = 4 * growth  # the paper's bottleneck
        self.norm = nn.BatchNorm2d(channels) if norm else nn.Identity()
        self.narrow = nn.Conv2d(channels, inside, 1, bias=not norm)
        self.norm2 = nn.BatchNorm2d(inside) if norm else nn.Identity()
        self.conv = nn.Conv2d(inside, growth, 3, padding=1, bias=not norm)

    def forward(self, x: Tensor) -> Tensor:
        h = self.narrow(F.leaky_relu(self.norm(x), 0.2))
        return torch.cat([x, self.conv(F.leaky_relu(self.norm2(h), 0.2))], 1)


def _block(channels: int, growth: int, depth: int, norm: bool) -> tuple[nn.Sequential, int]:
    """Consecutive layers, and the number of their output channels."""
    layers = [Layer(channels + i * growth, growth, norm) for i in range(depth)]
    return nn.Sequential(*layers), channels + depth * growth


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size) in [-1, 1].

    Args:
        latents: length of the latent vector.
        size: height and width of the images.
        channels: of the images, 1 to 4.
        width: channels at the lowest resolution; each further one starts with half of the previous one's last channels.
        growth: channels that a layer adds.
        depth: layers of a dense block; each resolution has one block.
        condition: number of classes, or columns; 0 for none.
    """

    def __init__(
        self, latents: int, size: int, channels: int, width: int, growth: int, depth: int, condition: Condition = 0
    ) -> None:
        super().__init__()
        self.size, self.condition = size, Appended(condition)
        n = stages(size)
        self.base = ceil(size / 2**n)
        self.linear = nn.Linear(latents + self.condition.width, width * self.base**2)
        layers: list[nn.Module] = []
        for i in range(n + 1):
            block, width = _block(width, growth, depth, norm=True)
            layers.append(block)
            if i < n:
                layers += [nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
                layers += [nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False)]
                width //= 2
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.LeakyReLU(0.2), nn.Conv2d(width, channels, 1))
        self.apply(init_he)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.linear(self.condition(z, label)).unflatten(1, (-1, self.base, self.base))
        x: Tensor = self.layers(h).tanh()
        return center_crop(x, self.size)


class Discriminator(Base):
    """Images (n, channels, size, size)[, labels (n,)] -> logits (n,). A logit depends on its own sample only.

    Args:
        size, channels: of the images.
        width: channels at the highest resolution.
        growth: channels that a layer adds.
        depth: layers of a dense block; each resolution has one block.
        condition: number of classes, or columns; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, size: int, channels: int, width: int, growth: int, depth: int, condition: Condition = 0) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        blocks, matches = [], []
        for _ in range(stages(size)):
            block, width = _block(width, growth, depth, norm=False)
            blocks.append(block)
            matches.append(nn.Conv2d(width, width // 2, 1))  # the paper's compression by a half
            width, size = width // 2, ceil(size / 2)
        block, width = _block(width, growth, depth, norm=False)
        self.blocks, self.matches = nn.ModuleList([*blocks, block]), nn.ModuleList(matches)
        self.length = width * size * size
        self.head = Projected(self.length, condition)
        self.apply(init_he)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        x = self.first(x)
        for i, block in enumerate(self.blocks):
            x = block(x)
            x = self.matches[i](halve(F.leaky_relu(x, 0.2))) if i < len(self.matches) else x
        return F.leaky_relu(x, 0.2).flatten(1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
