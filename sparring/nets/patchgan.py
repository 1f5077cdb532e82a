"""A D that judges every patch. Isola et al. 2016, arXiv:1611.07004, section 6.1.2."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.unet import Norm, normal, normed


class PatchGAN(Base):
    """Pictures (n, channels, h, w)[, those that they are made of (n, given, h', w')] -> logits (n, rows, columns), one
    for each patch; features are maps. With three layers a patch has 70 x 70 pixels.

    Args:
        channels: of the pictures that it judges.
        given: of those that they are made of, which it sees beside them, enlarged where they are smaller; 0 where it
            sees none.
        width: channels of the first layer; each further has twice as many, up to eight times.
        layers: that halve the picture.
        norm: after each layer but the first.
        spectral: whether every convolution is divided by its spectral norm (Miyato et al. 2018, arXiv:1802.05957).
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
            stack += [] if i == 0 else normed(norm, after)
            stack.append(nn.LeakyReLU(0.2))
            before = after
        self.layers = nn.Sequential(*stack)
        self.length = before
        self.head: nn.Module = nn.Conv2d(before, 1, 4, padding=1)
        self.apply(normal)
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


def deep(size: int, most: int = 3) -> int:
    """How many layers halve a picture of this size, so that a few patches are left."""
    return max(1, min(most, size.bit_length() - 4))
