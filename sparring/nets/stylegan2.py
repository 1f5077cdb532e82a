"""StyleGAN2: a mapping network, modulated convolutions, noise inputs, a skip generator and a residual discriminator.
Karras et al. 2019, arXiv:1912.04958.

Modulation scales what goes into a convolution and what comes out of it, instead of its weights for each sample: the
same numbers, by one ordinary convolution for the whole batch.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Appended, Projected
from sparring.layers.minibatch import Deviation
from sparring.layers.resample import centre, double
from sparring.nets.dcgan import stages
from sparring.nets.discriminator import Discriminator as Base

SLOWER = 0.01  # learning rate of the mapping network by that of the others
MIXED = 0.9  # share of samples that two styles share in, while training
MEAN = 1000  # latents that the mean style is taken over


def widths(size: int, base: int, most: int) -> list[int]:
    """Channels at each resolution from the lowest to the highest: base / resolution, at most `most`."""
    n = stages(size)
    return [max(1, min(most, base * 2 ** (n - i) // size)) for i in range(n + 1)]


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2) * sqrt(2)


class Equal(nn.Module):
    """A weight drawn with deviation 1 and scaled when it is used, so that all learn at one pace (Karras et al. 2017,
    arXiv:1710.10196), and a bias.
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
    """The kernel [1, 3, 3, 1] in each direction, with so many zeros around the picture."""

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
    """(n, before, h, w) -> (n, after, h, w), or of half the size where asked, blurred before."""

    def __init__(self, before: int, after: int, kernel: int, half: bool = False, bias: float | None = 0.0) -> None:
        super().__init__((after, before, kernel, kernel), bias)
        self.blur = Blur(1 + kernel // 2) if half else None

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.scaled()
        if self.blur is None:
            return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
        return F.conv2d(self.blur(x), weight, bias, stride=2)


class Modulated(nn.Module):
    """Maps (n, before, h, w), styles (n, latents) -> (n, after, h, w), or of twice the size where asked.

    Args:
        demodulated: whether maps are brought back to deviation 1.
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

    The noise is fresh while training, and always the same for samples, so that a latent has one picture.
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


class ToPicture(nn.Module):
    """A modulated 1 x 1 convolution to the picture's channels, and a bias."""

    def __init__(self, before: int, channels: int, latents: int) -> None:
        super().__init__()
        self.conv = Modulated(before, channels, latents, 1, demodulated=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        y: Tensor = self.conv(x, w) + self.bias[:, None, None]
        return y


class Mapping(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> styles (n, latents)."""

    def __init__(self, latents: int, depth: int, classes: int) -> None:
        super().__init__()
        self.condition = Appended(classes)
        before = latents + self.condition.width
        self.layers = nn.ModuleList(Linear(latents if i else before, latents, rate=SLOWER) for i in range(depth))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        x = self.condition(x, label)
        for layer in self.layers:
            x = _active(layer(x))
        return x


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> pictures (n, channels, size, size), unbounded.

    Args:
        latents: length of the latent vector and of the styles, 512 in the paper.
        size: height and width of the pictures.
        channels: of the pictures, 1 to 4.
        base, most: channels at a resolution are base / resolution, at most `most`; 32768 and 512 in the paper.
        depth: layers of the mapping network, 8 in the paper.
        classes: number of labels, 0 for none.
    """

    def __init__(
        self, latents: int, size: int, channels: int, base: int, most: int, depth: int = 8, classes: int = 0
    ) -> None:
        super().__init__()
        self.size, self.latents, self.classes = size, latents, classes
        self.mapping = Mapping(latents, depth, classes)
        wide = widths(size, base, most)
        now = ceil(size / 2 ** (len(wide) - 1))
        self.constant = nn.Parameter(torch.randn(1, wide[0], now, now))
        layers, pictures = [], []
        for i, (before, after) in enumerate(zip([wide[0], *wide], wide, strict=False)):
            if i:
                now *= 2
                layers.append(Layer(before, after, latents, now, twice=True))
            layers.append(Layer(after, after, latents, now, twice=False))
            pictures.append(ToPicture(after, channels, latents))
        self.layers, self.pictures = nn.ModuleList(layers), nn.ModuleList(pictures)

    @property
    def styles(self) -> int:
        """How many layers have a style each; that of the last is for the picture alone."""
        return len(self.layers) + 1

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        w = self.mapping(z, label)[:, None].expand(-1, self.styles, -1)  # (n, styles, latents)
        if self.training:
            other = self.mapping(torch.randn_like(z), label)[:, None]
            begin = torch.randint(1, self.styles, (len(z), 1), device=z.device)
            mixed = (torch.arange(self.styles, device=z.device) >= begin) & (torch.rand_like(z[:, :1]) < MIXED)
            w = torch.where(mixed[:, :, None], other, w)
        return self.synthesis(w)

    def synthesis(self, w: Tensor) -> Tensor:
        """Styles (n, styles, latents) -> pictures."""
        x, picture = self.constant.expand(w.shape[0], -1, -1, -1), None
        layers = iter(enumerate(self.layers))
        for i, to_picture in enumerate(self.pictures):
            for _ in range(2 if i else 1):
                k, layer = next(layers)
                x = layer(x, w[:, k])
            shown = to_picture(x, w[:, k + 1])
            picture = shown if picture is None else double(picture) + shown
        assert picture is not None
        return centre(picture, self.size)

    def mean_style(self) -> Tensor:
        """The style of a sample that has nothing of its own, (latents,)."""
        place = torch.Generator().manual_seed(0)
        z = torch.randn(MEAN, self.latents, generator=place).to(self.constant.device)
        label = torch.arange(MEAN, device=z.device) % self.classes if self.classes else None
        mean: Tensor = self.mapping(z, label).mean(0)
        return mean


class Block(nn.Module):
    """(n, before, h, w) -> (n, after, h/2, w/2): two 3 x 3 convolutions, the second halving, beside a 1 x 1 one."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Conv(before, before, 3), Conv(before, after, 3, half=True)
        self.skip = Conv(before, after, 1, half=True, bias=None)

    def forward(self, x: Tensor) -> Tensor:
        h = _active(self.conv2(_active(self.conv1(x))))
        y: Tensor = (h + self.skip(x)) / sqrt(2)
        return y


class Discriminator(Base):
    """Pictures (n, channels, size, size)[, labels (n,)] -> logits (n,).

    Args:
        size, channels: of the pictures.
        base, most: as in `Generator`.
        classes: number of labels, 0 for none; the logit is projected on the label's embedding.
    """

    def __init__(self, size: int, channels: int, base: int, most: int, classes: int = 0) -> None:
        super().__init__()
        wide = widths(size, base, most)[::-1]
        self.first = Conv(channels, wide[0], 1)
        self.blocks = nn.Sequential(*[Block(*pair) for pair in pairwise(wide)])
        for _ in wide[1:]:
            size = size // 2
        self.length = last = wide[-1]
        self.deviation, self.conv = Deviation(), Conv(last + 1, last, 3)
        self.linear = Linear(last * size * size, last)
        self.head = Projected(last, classes, Linear(last, 1))

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        x = self.deviation(self.blocks(_active(self.first(x))))
        x = _active(self.conv(x))
        return _active(self.linear(x.flatten(1)))

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
