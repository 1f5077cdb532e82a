"""CoGAN's nets: generators of two domains that share their first layers, and discriminators that share their last ones.
Liu and Tuzel 2016, arXiv:1606.07536.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sparring.layers.layout import channels_last
from sparring.layers.parts import Parts, joined
from sparring.layers.resample import center_crop
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator as Base

OWN = 5  # last layers of a generator that each domain has of its own: two convolutions, with what is between them
FIRST = 2  # first layers of a discriminator that each domain has of its own: a convolution and its activation


class Generator(nn.Module):
    """Latents (n, latents) -> pairs of images (n, width). Nothing can be given.

    Args:
        parts: the layout of a pair.
        latents: length of the latent vector.
        width: channels of the last hidden layer.
    """

    def __init__(self, parts: Parts, latents: int, width: int) -> None:
        super().__init__()
        each = [dcgan.Generator(latents, size, channels, width) for channels, size, _ in parts.shapes]
        self.size = each[0].size
        self.shared = each[0].layers[:-OWN]
        self.ends = nn.ModuleList(G.layers[-OWN:] for G in each)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h = channels_last(self.shared(z[:, :, None, None]))
        return joined([center_crop(end(h), self.size) for end in self.ends])


class Discriminator(Base):
    """Pairs of images (n, width) -> logits of each image, (n,) each. No logit sees both.

    Args:
        parts: the layout of a pair.
        width: channels of the first hidden layer.
    """

    def __init__(self, parts: Parts, width: int) -> None:
        super().__init__()
        each = [dcgan.Discriminator(size, channels, width) for channels, size, _ in parts.shapes]
        self.parts, self.length = parts, len(each) * each[0].length
        self.begins = nn.ModuleList(D.layers[:FIRST] for D in each)
        self.shared, self.head = each[0].layers[FIRST:], each[0].head

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        images = zip(self.begins, self.parts.split(x), strict=True)
        return torch.cat([self.shared(begin(channels_last(image))) for begin, image in images], 1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Sequence[Tensor]:  # noqa: ARG002
        return [self.head(own) for own in h.chunk(len(self.begins), 1)]
