"""StyleGAN2: a mapping network, modulated convolutions, noise inputs, a skip generator and a residual discriminator.
Karras et al. 2019, arXiv:1912.04958.

Modulation scales the input and the output of a convolution instead of its weights for each sample. The result is the
same, with one ordinary convolution for the whole batch.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Appended, Condition, Projected, typical
from sparring.layers.minibatch import MinibatchDeviation
from sparring.layers.resample import Padding, center_crop, double
from sparring.nets.dcgan import stages
from sparring.nets.discriminator import Discriminator as Base

MAPPING_RATE = 0.01  # learning rate of the mapping network / that of the other layers
MIXING_SHARE = 0.9  # share of training samples that are generated from two styles
MEAN_LATENTS = 1000  # latents over which the mean style is computed


def widths(size: int, base: int, most: int) -> list[int]:
    """Channels at each resolution from the lowest to the highest: base / resolution, at most `most`."""
    n = stages(size)
    return [max(1, min(most, base * 2 ** (n - i) // size)) for i in range(n + 1)]


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2) * sqrt(2)


class Equal(nn.Module):
    """A weight and a bias with an equalized learning rate: the weight is drawn with standard deviation 1 and scaled
    when it is used. Karras et al. 2017, arXiv:1710.10196.
    """

    def __init__(self, shape: tuple[int, ...], bias: float | None = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape) / rate)
        self.bias = None if bias is None else nn.Parameter(torch.full(shape[:1], bias / rate))
        self.rate, self.scale = rate, rate / sqrt(prod(shape[1:]))

    def scaled(self) -> tuple[Tensor, Tensor | None]:
        return self.weight * self.scale, None if self.bias is None else self.bias * self.rate


class Linear(Equal):
    """(n, before) -> (n, after)."""

    def __init__(self, before: int, after: int, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__((after, before), bias, rate)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, *self.scaled())


class Blur(nn.Module):
    """The kernel [1, 3, 3, 1] in each direction, with zero padding around the image."""

    kernel: Tensor

    def __init__(self, padding: int, gain: float = 1.0) -> None:
        super().__init__()
        self.padding = padding
        row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", gain * row[:, None] * row[None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel.to(x.dtype).expand(x.shape[1], 1, 4, 4)
        return F.conv2d(x, kernel, padding=self.padding, groups=x.shape[1])


class Conv(Equal):
    """(n, before, h, w) -> (n, after, h, w), or with `half` at half the size, after a blur."""

    def __init__(self, before: int, after: int, kernel: int, half: bool = False, bias: float | None = 0.0) -> None:
        super().__init__((after, before, kernel, kernel), bias)
        self.blur = Blur(1 + kernel // 2) if half else None

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.scaled()
        if self.blur is None:
            return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
        return F.conv2d(self.blur(x), weight, bias, stride=2)


class Modulated(nn.Module):
    """Maps (n, before, h, w), styles (n, latents) -> (n, after, h, w), or with `twice` at twice the size.

    Args:
        demodulated: True if maps are rescaled to standard deviation 1.
    """

    def __init__(
        self, before: int, after: int, latents: int, kernel: int, twice: bool = False, demodulated: bool = True
    ) -> None:
        super().__init__()
        self.style = Linear(latents, before, bias=1.0)
        self.conv = Equal((after, before, kernel, kernel), bias=None)
        self.blur = Blur(1, gain=4.0) if twice else None
        self.demodulated = demodulated

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weight, _ = self.conv.scaled()
        style: Tensor = self.style(w)  # (n, before)
        x = x * style[:, :, None, None]
        if self.blur is None:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        else:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        if self.demodulated:
            size = F.linear(style.square(), weight.square().sum((2, 3)))  # (n, after)
            x = x * (size + 1e-8).rsqrt()[:, :, None, None]
        return x


class Layer(nn.Module):
    """A modulated 3 x 3 convolution, noise, a bias and leaky ReLU.

    The noise is random in training and fixed in evaluation mode, so that a latent determines its image.
    """

    noise: Tensor

    def __init__(self, before: int, after: int, latents: int, size: int, twice: bool) -> None:
        super().__init__()
        self.conv = Modulated(before, after, latents, 3, twice)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(after))
        self.register_buffer("noise", torch.randn(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.conv(x, w)
        noise = torch.randn_like(x[:, :1]) if self.training else self.noise
        return _active(x + self.strength * noise + self.bias[:, None, None])


class ToImage(nn.Module):
    """A modulated 1 x 1 convolution to the image's channels, and a bias."""

    def __init__(self, before: int, channels: int, latents: int) -> None:
        super().__init__()
        self.conv = Modulated(before, channels, latents, 1, demodulated=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        y: Tensor = self.conv(x, w) + self.bias[:, None, None]
        return y


class Mapping(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> styles (n, latents)."""

    def __init__(self, latents: int, depth: int, condition: Condition) -> None:
        super().__init__()
        self.condition = Appended(condition)
        before = latents + self.condition.width
        self.layers = nn.ModuleList(Linear(latents if i else before, latents, rate=MAPPING_RATE) for i in range(depth))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        x = self.condition(x, label)
        for layer in self.layers:
            x = _active(layer(x))
        return x


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size), unbounded.

    Args:
        latents: length of the latent vector and of the styles, 512 in the paper.
        size: height and width of the images.
        channels: of the images, 1 to 4.
        base, most: the number of channels at a resolution is base / resolution, at most `most`; 32768 and 512 in the
            paper.
        depth: number of layers of the mapping network, 8 in the paper.
        condition: number of classes, or columns; 0 for none.
        padding: of the images whose size is doubled.
    """

    def __init__(
        self, latents: int, size: int, channels: int, base: int, most: int, depth: int = 8, condition: Condition = 0,
        padding: Padding = "replicate",
    ) -> None:  # fmt: skip
        super().__init__()
        self.size, self.latents, self.conditioned, self.padding = size, latents, condition, padding
        self.mapping = Mapping(latents, depth, condition)
        wide = widths(size, base, most)
        now = ceil(size / 2 ** (len(wide) - 1))
        self.constant = nn.Parameter(torch.randn(1, wide[0], now, now))
        layers, pictures = [], []
        for i, (before, after) in enumerate(zip([wide[0], *wide], wide, strict=False)):
            if i:
                now *= 2
                layers.append(Layer(before, after, latents, now, twice=True))
            layers.append(Layer(after, after, latents, now, twice=False))
            pictures.append(ToImage(after, channels, latents))
        self.layers, self.pictures = nn.ModuleList(layers), nn.ModuleList(pictures)

    @property
    def styles(self) -> int:
        """Number of styles: one per layer, and one for the last image layer."""
        return len(self.layers) + 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        w = self.mapping(z, label)[:, None].expand(-1, self.styles, -1)  # (n, styles, latents)
        if self.training:
            other = self.mapping(torch.randn_like(z), label)[:, None]
            begin = torch.randint(1, self.styles, (len(z), 1), device=z.device)
            mixed = (torch.arange(self.styles, device=z.device) >= begin) & (torch.rand_like(z[:, :1]) < MIXING_SHARE)
            w = torch.where(mixed[:, :, None], other, w)
        return self.synthesis(w)

    def synthesis(self, w: Tensor) -> Tensor:
        """Styles (n, styles, latents) -> images."""
        x, image = self.constant.expand(w.shape[0], -1, -1, -1), None
        layers = iter(enumerate(self.layers))
        for i, to_image in enumerate(self.pictures):
            for _ in range(2 if i else 1):
                k, layer = next(layers)
                x = layer(x, w[:, k])
            added = to_image(x, w[:, k + 1])
            image = added if image is None else double(image, self.padding) + added
        assert image is not None
        return center_crop(image, self.size)

    def mean_style(self) -> Tensor:
        """The mean of the styles, (latents,)."""
        generator = torch.Generator().manual_seed(0)
        z = torch.randn(MEAN_LATENTS, self.latents, generator=generator).to(self.constant.device)
        label = typical(self.conditioned, MEAN_LATENTS, z.device)
        mean: Tensor = self.mapping(z, label).mean(0)
        return mean


class Block(nn.Module):
    """(n, before, h, w) -> (n, after, h/2, w/2): two 3 x 3 convolutions, the second with halving, plus a
    1 x 1 skip connection with halving."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Conv(before, before, 3), Conv(before, after, 3, half=True)
        self.skip = Conv(before, after, 1, half=True, bias=None)

    def forward(self, x: Tensor) -> Tensor:
        h = _active(self.conv2(_active(self.conv1(x))))
        y: Tensor = (h + self.skip(x)) / sqrt(2)
        return y


class Discriminator(Base):
    """Images (n, channels, size, size)[, labels (n,)] -> logits (n,).

    Args:
        size, channels: of the images.
        base, most: as for `Generator`.
        condition: number of classes, or columns; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, size: int, channels: int, base: int, most: int, condition: Condition = 0) -> None:
        super().__init__()
        wide = widths(size, base, most)[::-1]
        self.first = Conv(channels, wide[0], 1)
        self.blocks = nn.Sequential(*[Block(*pair) for pair in pairwise(wide)])
        for _ in wide[1:]:
            size = size // 2
        self.length = last = wide[-1]
        self.deviation, self.conv = MinibatchDeviation(), Conv(last + 1, last, 3)
        self.linear = Linear(last * size * size, last)
        self.head = Projected(last, condition, Linear(last, 1))

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        x = self.deviation(self.blocks(_active(self.first(x))))
        x = _active(self.conv(x))
        return _active(self.linear(x.flatten(1)))

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
