"""Strided convolutions with batch norm. Radford et al. 2015, arXiv:1511.06434."""

from __future__ import annotations

from math import ceil, log2
from typing import Literal

from torch import Tensor, nn

from sparring.layers.condition import Appended, Condition, Projected
from sparring.layers.initial import init_he
from sparring.layers.layout import channels_last
from sparring.layers.resample import center_crop
from sparring.nets.discriminator import Discriminator as Base

Norm = Literal["batch", "layer", "none"]


def stages(size: int) -> int:
    """Number of halvings of an image of this size, down to 4 to 7 pixels, at least one."""
    return max(1, int(log2(size / 4))) if size >= 4 else 1


def _norm(kind: Norm, channels: int) -> list[nn.Module]:
    if kind == "batch":
        return [nn.BatchNorm2d(channels)]
    return [nn.GroupNorm(1, channels)] if kind == "layer" else []


def _init_normal(module: nn.Module) -> None:
    """Initial weights of the paper, section 4, for normalized layers: normal with standard deviation 0.02."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size) in [-1, 1].

    Args:
        latents: length of the latent vector.
        size: height and width of the images; if it is no multiple of a power of two, a larger image is cropped.
        channels: of the images, 1 to 4.
        width: channels of the last hidden layer; each earlier layer has twice as many.
        condition: number of classes, or columns; 0 for none; its embedding is appended to z.
        norm: after each hidden layer: "batch" as in the paper, "layer" if samples must not depend on each other, or
            "none".
    """

    def __init__(
        self, latents: int, size: int, channels: int, width: int, condition: Condition = 0, norm: Norm = "batch"
    ) -> None:
        super().__init__()
        self.size = size
        self.condition = Appended(condition)
        n = stages(size)
        base = ceil(size / 2**n)
        before = width * 2 ** (n - 1)
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latents + self.condition.width, before, base, bias=norm == "none"),
            *_norm(norm, before),
            nn.ReLU(inplace=True),
        ]
        for _ in range(n - 1):
            layers += [
                nn.ConvTranspose2d(before, before // 2, 4, stride=2, padding=1, bias=norm == "none"),
                *_norm(norm, before // 2),
                nn.ReLU(inplace=True),
            ]
            before //= 2
        layers += [nn.ConvTranspose2d(before, channels, 4, stride=2, padding=1), nn.Tanh()]
        layers[0].register_forward_hook(_in_layout)
        self.layers = nn.Sequential(*layers)
        self.apply(init_he if norm == "none" else _init_normal)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x: Tensor = self.layers(self.condition(z, label)[:, :, None, None])
        return center_crop(x, self.size)


def _in_layout(_layer: nn.Module, _given: tuple[Tensor, ...], x: Tensor) -> Tensor:
    """The output of the first layer of G in the faster layout, which the others keep."""
    return channels_last(x)


def _halving(size: int, channels: int, width: int, norm: Norm) -> tuple[nn.Sequential, int]:
    """Strided convolutions, each of which halves the image, down to vectors, and the length of the vectors."""
    layers: list[nn.Module] = []
    before = channels
    for i in range(stages(size)):
        layers.append(nn.Conv2d(before, width, 4, stride=2, padding=1, bias=i == 0 or norm == "none"))
        layers += _norm(norm, width) if i > 0 else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        before, width, size = width, width * 2, size // 2
    net = nn.Sequential(*layers, nn.Flatten())
    net.apply(init_he if norm == "none" else _init_normal)
    return net, before * size * size


class Discriminator(Base):
    """Images (n, channels, size, size)[, labels (n,)] -> logits (n,).

    Args:
        size, channels: of the images.
        width: channels of the first hidden layer; each further layer has twice as many.
        norm: after each hidden layer except the first: "batch" as in the paper, "layer" if a gradient penalty forbids
            statistics of the batch, or "none".
        condition: number of classes, or columns; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, size: int, channels: int, width: int, norm: Norm = "batch", condition: Condition = 0) -> None:
        super().__init__()
        self.layers, self.length = _halving(size, channels, width, norm)
        linear = nn.Linear(self.length, 1)
        self.head = Projected(self.length, condition, linear)
        nn.init.normal_(linear.weight, std=0.02)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h: Tensor = self.layers(channels_last(x))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits


class Encoder(nn.Module):
    """Images (n, channels, size, size)[, labels (n,)] -> means and log variances of latents, (n, latents)
    each.

    Args:
        latents: length of the latent vector.
        size, channels: of the images.
        width: channels of the first hidden layer; each further layer has twice as many.
        condition: number of classes, or columns; 0 for none; its embedding is appended to the features.
    """

    def __init__(self, latents: int, size: int, channels: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        self.layers, length = _halving(size, channels, width, "batch")
        self.condition = Appended(condition)
        self.head = nn.Linear(length + self.condition.width, 2 * latents)

    def forward(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.head(self.condition(self.layers(x), label)).chunk(2, 1)
        return mean, log_variance
