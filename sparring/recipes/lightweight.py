"""lightweight-gan's generator against FastGAN's discriminator."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.modalities import Images
from sparring.nets import fastgan, lightweight
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Widths, discriminator, generator
from sparring.recipes.fastgan import Fastgan


@dataclass(frozen=True)
class Lightweight(Fastgan):
    """FastGAN with attention, pixel shuffle and global context in G.

    Liu et al. 2021, arXiv:2101.04775, with the generator of https://github.com/lucidrains/lightweight-gan, version 1.2,
    whose weights `sparring import lightweight-gan` reads. D and the losses are those of recipe `fastgan`. The authors'
    values are base=4096 most=512.

    sparring train photos/ --recipe lightweight
    """

    # Generator
    base: Count = generator(1024, "channels at a resolution are base / its pixels; 4096 in the authors' code")
    most: Count = generator(128, "upper limit of the channels; 512 in the authors' code")
    attention: Widths = generator((32,), "resolutions of maps that get attention")
    # Discriminator
    width: Count = discriminator(
        8, "channels next to the image; twice as many at each lower resolution, up to 16 times"
    )

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        condition = modality.condition
        G = lightweight.Generator(self.z, size, channels, self.base, self.most, self.attention, condition)
        return G, fastgan.Discriminator(size, channels, self.width, condition)
