"""A D that judges patches. Isola et al. 2016, arXiv:1611.07004, section 6.1.2."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.unet import Norm, init_normal, norm_layers


class PatchGAN(Base):
    """Images (n, channels, h, w)[, the images they are generated from (n, given, h', w')] -> logits (n, rows, columns),
    one per patch; the features are maps. With three layers a patch has 70 x 70 pixels.

    Args:
        channels: of the judged images.
        given: channels of the images they are generated from, which are appended as further channels, enlarged if they
            are smaller; 0 if D does not receive them.
        width: channels of the first layer; each further layer has twice as many, up to eight times.
        layers: number of layers that halve the image.
        norm: after each layer except the first.
        spectral: True if every convolution has spectral normalization (Miyato et al. 2018, arXiv:1802.05957).
    """

    def __init__(
        self,
        channels: int,
        given: int = 0,
        width: int = 64,
        layers: int = 3,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        super().__init__()
        self.given = given
        before, stack = channels + given, list[nn.Module]()
        for i in range(layers + 1):
            after = width * min(8, 2**i)
            stride = 2 if i < layers else 1
            stack.append(nn.Conv2d(before, after, 4, stride, padding=1, bias=i == 0 or norm != "batch"))
            stack += [] if i == 0 else norm_layers(norm, after)
            stack.append(nn.LeakyReLU(0.2))
            before = after
        self.layers = nn.Sequential(*stack)
        self.length = before
        self.head: nn.Module = nn.Conv2d(before, 1, 4, padding=1)
        self.apply(init_normal)
        if spectral:
            for module in [*self.layers, self.head]:
                if isinstance(module, nn.Conv2d):
                    spectral_norm(module)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Maps (n, length, rows, columns)."""
        if self.given:
            assert label is not None
            if label.shape[-2:] != x.shape[-2:]:
                label = F.interpolate(label, x.shape[-2:], mode="nearest")
            x = torch.cat([x, label], 1)
        h: Tensor = self.layers(x)
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logits: Tensor = self.head(h).squeeze(1)
        return logits


def halving_layers(size: int, maximum: int = 3) -> int:
    """Number of layers that halve an image of this size, so that several patches remain."""
    return max(1, min(maximum, size.bit_length() - 4))
