"""Spectrally normalised GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import Modality
from sparring.nets import resnet
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Decay, OfPictures, WithAdam, discriminator, generator, optimisation


@dataclass(frozen=True)
class Sngan(WithAdam, OfPictures):
    """Residual nets, the hinge loss, a D divided by its spectral norms.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks", arXiv:1802.05957, table 4.
    With labels, D's logit is projected on their embedding: Miyato and Koyama 2018, "cGANs with projection
    discriminator", arXiv:1802.05637; G has the label beside z, where that paper has conditional batch norm. The first
    paper's widths are 256 in G and 128 in D.

    sparring train cifar10 --recipe sngan
    """

    z: Count = 128
    G: Count = generator(64, "channels of every block")
    D: Count = discriminator(64, "channels of every block")
    depth: Count = generator(1, "residual blocks per resolution, in D too")
    n_dis: Count = optimisation(5, "moves of D for each of G")
    beta1: Decay = 0.0
    beta2: Decay = 0.9

    def adversary(self) -> AdversarialLoss:
        return hinge()

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        classes = len(modality.classes)
        return (
            resnet.Generator(self.z, size, channels, self.G, self.depth, classes),
            resnet.Discriminator(size, channels, self.D, self.depth, classes),
        )

    def turns(self) -> int:
        return self.n_dis
