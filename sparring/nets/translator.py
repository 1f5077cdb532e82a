"""CycleGAN's generator. Zhu et al. 2017, arXiv:1703.10593, appendix 7.2; Johnson et al. 2016, arXiv:1603.08155."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from sparring.nets.image_to_image import ImageToImage
from sparring.nets.unet import Up, init_normal

HALVINGS = 2

Padding = Literal["reflect", "zeros"]


def _conv(before: int, after: int, kernel: int, stride: int = 1, padding: Padding = "reflect") -> nn.Module:
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, padding_mode=padding)


class Residual(nn.Module):
    """(n, c, h, w) -> the same shape: two convolutions with instance norm, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv(channels, channels, 3), nn.InstanceNorm2d(channels), nn.ReLU(),
            _conv(channels, channels, 3), nn.InstanceNorm2d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Translator(ImageToImage):
    """Images (n, given, h, w) -> images (n, channels, h, w) in [-1, 1]; sides are multiples of `stride`.

    Args:
        given, channels: number of channels of the input and of the output.
        width: channels of the first and the last layer.
        blocks: number of residual blocks, at a quarter of the size.
        up: type of upsampling.
        padding: of the strided convolutions.

    Attributes:
        reach: None, because instance norm depends on the whole image.
        tapped: indices of the layers whose inputs `taps` returns, from the image itself to the innermost layers.
        channels: number of channels of each of these inputs.
    """

    def __init__(
        self,
        given: int,
        channels: int,
        width: int = 64,
        blocks: int = 9,
        up: Up = "resize",
        padding: Padding = "reflect",
    ) -> None:
        super().__init__()
        self.times, self.stride, self.reach = 1, 2**HALVINGS, None
        layers: list[nn.Module] = [_conv(given, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
        ends, widths = [0, len(layers)], [given, width]
        for _ in range(HALVINGS):
            layers += [_conv(width, 2 * width, 3, 2, padding), nn.InstanceNorm2d(2 * width), nn.ReLU()]
            width *= 2
            ends.append(len(layers))
            widths.append(width)
        layers += [Residual(width) for _ in range(blocks)]
        ends += [len(layers) - blocks // 2, len(layers)] if blocks > 1 else [len(layers)]
        widths += [width] * (len(ends) - len(widths))
        for _ in range(HALVINGS):
            layers += [*_upsampling(up, width), nn.InstanceNorm2d(width // 2), nn.ReLU()]
            width //= 2
        self.layers = nn.Sequential(*layers, _conv(width, channels, 7), nn.Tanh())
        self.tapped, self.channels = tuple(ends), tuple(widths)
        self.apply(init_normal)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y

    def taps(self, x: Tensor) -> Sequence[Tensor]:
        """The inputs of the layers at `tapped`: maps (n, channels, h', w')."""
        inputs = []
        for i, layer in enumerate(self.layers.children()):
            if i in self.tapped:
                inputs.append(x)
            if i == self.tapped[-1]:
                break
            x = layer(x)
        return inputs


def _upsampling(up: Up, width: int) -> list[nn.Module]:
    if up == "transposed":
        return [nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)]
    return [nn.Upsample(scale_factor=2.0, mode="nearest"), _conv(width, width // 2, 3)]
