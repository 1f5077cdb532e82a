"""SNGAN's residual nets. Miyato et al. 2018, arXiv:1802.05957, table 4."""

from __future__ import annotations

from math import ceil

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sparring.layers.condition import Appended, Condition, Projected
from sparring.layers.resample import center_crop, halve
from sparring.nets.dcgan import stages
from sparring.nets.discriminator import Discriminator as Base


def _xavier(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Module:
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _conv(before: int, after: int, kernel: int = 3) -> nn.Module:
    return _xavier(nn.Conv2d(before, after, kernel, padding=kernel // 2), 2**0.5 if kernel > 1 else 1.0)


class Up(nn.Module):
    """A residual block of G: batch norm, ReLU, optional doubling, 3 x 3 convolution; then the same without doubling."""

    def __init__(self, channels: int, double: bool = True) -> None:
        super().__init__()
        self.times = 2 if double else 1
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.conv1, self.conv2 = _conv(channels, channels), _conv(channels, channels)
        self.skip = _conv(channels, channels, 1) if double else nn.Identity()

    def _doubled(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode="nearest") if self.times == 2 else x

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(self._doubled(self.norm1(x).relu()))
        h = self.conv2(self.norm2(h).relu())
        # A 1 x 1 convolution and nearest-neighbor doubling commute.
        y: Tensor = h + self._doubled(self.skip(x))
        return y


class Down(nn.Module):
    """A residual block of D with spectral normalization: ReLU and 3 x 3 convolution, twice, then optional halving. The
    first block of a net receives images and has no ReLU before its first convolution.
    """

    def __init__(self, before: int, after: int, halved: bool = True, first: bool = False) -> None:
        super().__init__()
        self.halved, self.first = halved, first
        self.conv1 = spectral_norm(_conv(before, after))
        self.conv2 = spectral_norm(_conv(after, after))
        self.skip = spectral_norm(_conv(before, after, 1)) if halved or before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(self.conv1(x if self.first else x.relu()).relu())
        # A 1 x 1 convolution and a mean over pixels commute; the convolution is cheaper on fewer pixels.
        if self.halved:
            h, x = halve(h), halve(x)
        y: Tensor = h + self.skip(x)
        return y


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size) in [-1, 1].

    Args:
        latents: length of the latent vector.
        size: height and width of the images.
        channels: of the images, 1 to 4.
        width: channels of every block; 256 for 32 pixels in the paper.
        depth: number of residual blocks per resolution, 1 in the paper.
        condition: number of classes, or columns; 0 for none.
    """

    def __init__(
        self, latents: int, size: int, channels: int, width: int, depth: int = 1, condition: Condition = 0
    ) -> None:
        super().__init__()
        self.size, self.condition = size, Appended(condition)
        n = stages(size)
        self.base = ceil(size / 2**n)
        self.linear = _xavier(nn.Linear(latents + self.condition.width, width * self.base**2))
        blocks = [Up(width, double=i == 0) for _ in range(n) for i in range(depth)]
        last = _xavier(nn.Conv2d(width, channels, 3, padding=1))
        self.layers = nn.Sequential(*blocks, nn.BatchNorm2d(width), nn.ReLU(), last)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.linear(self.condition(z, label)).unflatten(1, (-1, self.base, self.base))
        x: Tensor = self.layers(h).tanh()
        return center_crop(x, self.size)


class Discriminator(Base):
    """Images (n, channels, size, size)[, labels (n,)] -> logits (n,).

    Blocks halve the image down to 8 pixels; then follow two blocks without halving, and a sum over positions.

    Args:
        size, channels: of the images.
        width: channels of every block; 128 for 32 pixels in the paper.
        depth: number of residual blocks per resolution, 1 in the paper.
        condition: number of classes, or columns; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, size: int, channels: int, width: int, depth: int = 1, condition: Condition = 0) -> None:
        super().__init__()
        halvings = max(1, stages(size) - 1)
        blocks = [Down(channels, width, first=True)]
        for i in range(halvings):
            blocks += [Down(width, width, halved=False) for _ in range(depth - 1)]
            blocks += [Down(width, width)] if i < halvings - 1 else []
        blocks += [Down(width, width, halved=False) for _ in range(2)]
        self.layers = nn.Sequential(*blocks)
        self.length = width
        linear = nn.Linear(width, 1)
        self.head = Projected(width, condition, linear)
        _xavier(linear)
        spectral_norm(linear)
        if self.head.embedding is not None:
            spectral_norm(self.head.embedding)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h: Tensor = self.layers(x).relu().sum((2, 3))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
