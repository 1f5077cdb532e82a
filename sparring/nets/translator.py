"""CycleGAN's generator. Zhu et al. 2017, arXiv:1703.10593, appendix 7.2; Johnson et al. 2016, arXiv:1603.08155."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sparring.nets.picture_net import PictureNet
from sparring.nets.unet import Up, normal

HALVED = 2  # times


def _conv(before: int, after: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, padding_mode="reflect")


class Residual(nn.Module):
    """(n, c, h, w) -> the same: two convolutions with instance norm, added to what they take."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(channels, channels, 3), nn.InstanceNorm2d(channels), nn.ReLU(),
            _conv(channels, channels, 3), nn.InstanceNorm2d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Translator(PictureNet):
    """Pictures (n, given, h, w) -> pictures (n, channels, h, w) in [-1, 1]; sides are multiples of `stride`.

    Args:
        given, channels: of the pictures that it takes, and of those that it makes.
        width: channels of the first layer and the last.
        blocks: residual ones, at a quarter of the size.
        up: how pictures are doubled.

    Attributes:
        reach: None, since instance norm looks at the whole picture.
        tapped: indices of the layers before which a loss may look, from the picture itself to the middle.
        channels: of what it sees there.
    """

    def __init__(self, given: int, channels: int, width: int = 64, blocks: int = 9, up: Up = "resize") -> None:
        super().__init__()
        self.times, self.stride, self.reach = 1, 2**HALVED, None
        layers: list[nn.Module] = [_conv(given, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
        ends, widths = [0, len(layers)], [given, width]
        for _ in range(HALVED):
            layers += [_conv(width, 2 * width, 3, stride=2), nn.InstanceNorm2d(2 * width), nn.ReLU()]
            width *= 2
            ends.append(len(layers))
            widths.append(width)
        layers += [Residual(width) for _ in range(blocks)]
        ends += [len(layers) - blocks // 2, len(layers)] if blocks > 1 else [len(layers)]
        widths += [width] * (len(ends) - len(widths))
        for _ in range(HALVED):
            layers += [*_doubled(up, width), nn.InstanceNorm2d(width // 2), nn.ReLU()]
            width //= 2
        self.layers = nn.Sequential(*layers, _conv(width, channels, 7), nn.Tanh())
        self.tapped, self.channels = tuple(ends), tuple(widths)
        self.apply(normal)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y

    def taps(self, x: Tensor) -> Sequence[Tensor]:
        """What there is of pictures before the layers at `tapped`: maps (n, channels, h', w')."""
        found = []
        for i, layer in enumerate(self.layers.children()):
            if i in self.tapped:
                found.append(x)
            if i == self.tapped[-1]:
                break
            x = layer(x)
        return found


def _doubled(up: Up, width: int) -> list[nn.Module]:
    if up == "transposed":
        return [nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)]
    return [nn.Upsample(scale_factor=2.0, mode="nearest"), _conv(width, width // 2, 3)]
