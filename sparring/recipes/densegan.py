"""A GAN of dense blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.modalities import Modality
from sparring.nets import densenet
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, OfPictures, Positive, Weight, discriminator, generator
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class Densegan(Regularised, OfPictures):
    """Every layer sees all before it: deep nets of few weights.

    Huang et al. 2016, "Densely connected convolutional networks", arXiv:1608.06993, whose blocks have no GAN of
    their own; they play the game of `r3gan` (arXiv:2501.05441) with the penalties in one step of eight.

    sparring train mnist --recipe densegan
    """

    side: ClassVar[int] = 32

    G: Count = generator(128, "channels at the lowest resolution")
    D: Count = discriminator(16, "channels at the highest resolution")
    growth: Count = generator(12, "channels that a layer adds, in D too, k")
    depth: Count = generator(3, "layers of a dense block, of which each resolution has one, in D too")
    gamma: Weight = 0.4
    gamma_end: Weight = 0.04
    lr: Positive = 5e-4
    lr_end: Positive = 1e-4
    lazy: Count = 8

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        block = (self.growth, self.depth, len(modality.classes))
        return (
            densenet.Generator(self.z, size, channels, self.G, *block),
            densenet.Discriminator(size, channels, self.D, *block),
        )
