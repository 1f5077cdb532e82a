"""A generator and a discriminator of an autoencoder's codes: DCGAN's nets (Radford et al. 2015, arXiv:1511.06434) with
a convolution at full resolution, where codes have their details, and with unbounded values.
"""

from __future__ import annotations

from math import ceil

from torch import Tensor, nn

from sparring.layers.condition import Appended, Condition, Projected
from sparring.layers.initial import init_he
from sparring.layers.resample import center_crop
from sparring.nets.dcgan import stages
from sparring.nets.discriminator import Discriminator as Base


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> codes (n, channels, side, side), unbounded.

    Args:
        latents: length of the latent vector.
        side: height and width of codes.
        channels: of codes.
        width: channels of the layers at full resolution; each earlier layer has twice as many.
        condition: number of classes, or columns; 0 for none; its embedding is appended to z.
    """

    def __init__(self, latents: int, side: int, channels: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        self.side, self.condition = side, Appended(condition)
        n = stages(side)
        self.base = ceil(side / 2**n)
        before = width * 2**n
        self.linear = nn.Linear(latents + self.condition.width, before * self.base**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
        for _ in range(n):
            layers += [nn.ConvTranspose2d(before, before // 2, 4, stride=2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(before // 2), nn.ReLU(inplace=True)]
            before //= 2
        layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.linear(self.condition(z, label)).unflatten(1, (-1, self.base, self.base))
        return center_crop(self.layers(h), self.side)


class Discriminator(Base):
    """Codes (n, channels, side, side)[, labels (n,)] -> logits (n,), without normalization.

    Args:
        side, channels: of codes.
        width: channels of the layer at full resolution; each further layer has twice as many.
        condition: number of classes, or columns; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, side: int, channels: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for _ in range(min(stages(side) + 1, side.bit_length() - 1)):
            layers += [nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
            width, side = 2 * width, side // 2
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.layers.apply(init_he)
        self.length = width * side * side
        self.head = Projected(self.length, condition)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h: Tensor = self.layers(x)
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
