"""FastGAN: light nets for a hundred images. Liu et al. 2021, arXiv:2101.04775."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sparring.layers.condition import Appended, Condition, embedding
from sparring.layers.resample import center_crop
from sparring.nets.dcgan import stages
from sparring.nets.discriminator import Discriminator as Base

GAP = 4  # doublings between the two maps of a skip-layer excitation; fewer in smaller nets


def _conv(before: int, after: int, kernel: int, stride: int = 1, padding: int = 0, bias: bool = False) -> nn.Module:
    layer = nn.Conv2d(before, after, kernel, stride, padding, bias=bias)
    nn.init.normal_(layer.weight, std=0.02)
    return spectral_norm(layer)


def _gated(before: int, after: int) -> list[nn.Module]:
    """A 3 x 3 convolution, batch norm and a gated linear unit."""
    return [_conv(before, 2 * after, 3, padding=1), nn.BatchNorm2d(2 * after), nn.GLU(1)]


class Noise(nn.Module):
    """Noise of learned strength, added to every map in training."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.strength * torch.randn_like(x[:, :1]) if self.training else x


class Up(nn.Sequential):
    """(n, before, h, w) -> (n, after, 2h, 2w), with one gated convolution, or with two and noise if `deep`."""

    def __init__(self, before: int, after: int, deep: bool) -> None:
        doubled = nn.UpsamplingNearest2d(scale_factor=2)
        if not deep:
            super().__init__(doubled, *_gated(before, after))
            return
        first, second = _gated(before, after), _gated(after, after)
        super().__init__(doubled, first[0], Noise(), *first[1:], second[0], Noise(), *second[1:])


class Excitation(nn.Module):
    """Skip-layer excitation: each high-resolution map is scaled by a factor computed from low-resolution maps."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), _conv(low, high, 4), nn.SiLU(), _conv(high, high, 1), nn.Sigmoid()
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        y: Tensor = high * self.layers(low)
        return y


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size) in [-1, 1].

    Args:
        latents: length of the latent vector.
        size: height and width of the images.
        channels: of the images, 1 to 4.
        width: channels at the highest resolution; twice as many at each lower one, up to 16 times.
        condition: number of classes, or columns; 0 for none.
    """

    def __init__(self, latents: int, size: int, channels: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        self.size, self.condition = size, Appended(condition)
        n = stages(size)
        wide = [width * min(16, 2 ** (n - i)) for i in range(n + 1)]
        first = nn.ConvTranspose2d(latents + self.condition.width, 2 * wide[0], ceil(size / 2**n), bias=False)
        self.first = nn.Sequential(
            spectral_norm(first),
            nn.BatchNorm2d(2 * wide[0]),
            nn.GLU(1),
        )
        self.ups = nn.ModuleList(Up(wide[i], wide[i + 1], deep=i % 2 == 0) for i in range(n))
        self.gap = min(GAP, n)
        self.excitations = nn.ModuleList(Excitation(wide[i], wide[i + self.gap]) for i in range(n + 1 - self.gap))
        self.picture = _conv(width, channels, 3, padding=1, bias=True)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        maps = [self.first(self.condition(z, label)[:, :, None, None])]
        for up in self.ups:
            x = up(maps[-1])
            below = len(maps) - self.gap
            maps.append(self.excitations[below](maps[below], x) if below >= 0 else x)
        return center_crop(self.picture(maps[-1]).tanh(), self.size)


class Down(nn.Module):
    """(n, before, h, w) -> (n, after, ceil(h/2), ceil(w/2)): the mean of a strided and of a pooled path."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.strided = nn.Sequential(
            _conv(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2),
            _conv(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.pooled = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True), _conv(before, after, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = (self.strided(x) + self.pooled(x)) / 2
        return y


class Discriminator(Base):
    """Images (n, channels, size, size)[, labels (n,)] -> logits (n, h, w) of overlapping patches.

    Its features are the maps of the two lowest resolutions, from which a `Decoder` reconstructs the image.

    Args:
        size, channels: of the images.
        width: channels at the highest resolution; twice as many at each lower one, up to 16 times.
        condition: number of classes, or columns; 0 for none. The inner product of its embedding and the mean map is
            added.
    """

    def __init__(self, size: int, channels: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        halvings = max(1, stages(size) - 1)
        wide = [width * min(16, 2**i) for i in range(halvings + 1)]
        sides = [ceil(size / 2**i) for i in range(halvings + 1)]
        self.first = nn.Sequential(_conv(channels, width, 3, padding=1), nn.LeakyReLU(0.2))
        self.downs = nn.ModuleList(Down(wide[i], wide[i + 1]) for i in range(halvings))
        self.high, self.low = ((wide[i], sides[i], sides[i]) for i in (-2, -1))
        self.length = sum(c * h * w for c, h, w in (self.high, self.low))
        last = wide[-1]
        self.head = nn.Sequential(
            _conv(last, last, 1), nn.BatchNorm2d(last), nn.LeakyReLU(0.2), _conv(last, 1, min(4, sides[-1]))
        )
        self.embedding = embedding(condition, last)
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=last**-0.5)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        maps = [self.first(x)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        return torch.cat([maps[-2].flatten(1), maps[-1].flatten(1)], 1)

    def maps(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """The features as maps: of the second lowest and of the lowest resolution."""
        split = self.length - self.low[0] * self.low[1] * self.low[2]
        return h[:, :split].view(-1, *self.high), h[:, split:].view(-1, *self.low)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        _, low = self.maps(h)
        logits: Tensor = self.head(low).squeeze(1)  # (n, h, w)
        if self.embedding is not None:
            logits = logits + (self.embedding(label) * low.mean((2, 3))).sum(1)[:, None, None]
        return logits


class Decoder(nn.Module):
    """Maps (n, before, side, side) -> images (n, channels, size, size) in [-1, 1], for the self-supervision of D.

    Args:
        before: channels of the maps.
        channels, size: of the images.
        doublings: number of doublings from the maps to the images.
    """

    def __init__(self, before: int, channels: int, size: int, doublings: int) -> None:
        super().__init__()
        self.size = size
        layers: list[nn.Module] = []
        for _ in range(doublings):
            layers.append(Up(before, max(4, before // 2), deep=False))
            before = max(4, before // 2)
        self.layers = nn.Sequential(*layers, _conv(before, channels, 3, padding=1, bias=True))

    def forward(self, maps: Tensor) -> Tensor:
        x: Tensor = self.layers(maps).tanh()
        if x.shape[-1] != self.size:
            x = F.interpolate(x, (self.size, self.size), mode="bilinear")
        return x
