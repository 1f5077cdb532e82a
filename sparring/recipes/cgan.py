"""Conditional GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import Packed
from sparring.recipes.base import Light


@dataclass(frozen=True)
class Cgan(Light):
    """G and D are both given the label: samples by class.

    Mirza and Osindero 2014, "Conditional generative adversarial nets", arXiv:1411.1784, on DCGAN's nets. The
    label is a learned embedding: in G it lies beside the latent vector, in D it is one more channel of the
    picture. Without labels it plays dcgan's game.

    sparring train fashion-mnist --recipe cgan
    """

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        G, _ = super().nets(modality)

        def build(shape: tuple[int, ...]) -> Discriminator:
            return dcgan.Discriminator(shape[1], shape[0], self.width, self.norm)

        return G, Packed(build, modality.shape, classes=len(modality.classes))
