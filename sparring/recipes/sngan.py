"""Spectrally normalized GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import Images
from sparring.nets import resnet
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    Decay,
    ImageRecipe,
    Positive,
    Share,
    Weight,
    discriminator,
    generator,
    optimization,
)


@dataclass(frozen=True)
class Sngan(AdamGan[Images], ImageRecipe[Images]):
    """Residual nets, the hinge loss, a spectrally normalized D.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks", arXiv:1802.05957, table 4.
    On data with labels, D's logit is projected on their embedding: Miyato and Koyama 2018, "cGANs with projection
    discriminator", arXiv:1802.05637. G receives the label next to z, where that paper has conditional batch norm. The
    first paper's widths are 256 in G and 128 in D.

    sparring train cifar10 --recipe sngan
    """

    # Generator
    z: Count = 128
    G: Count = generator(64, "channels of every block")
    depth: Count = generator(1, "residual blocks per resolution, in G and D")
    # Discriminator
    D: Count = discriminator(64, "channels of every block")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    n_dis: Count = optimization(5, "moves of D per move of G")
    lr: Positive = 2e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def adversarial_loss(self) -> AdversarialLoss:
        return hinge()

    def nets(self, modality: Images) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        condition = modality.condition
        return (
            resnet.Generator(self.z, size, channels, self.G, self.depth, condition),
            resnet.Discriminator(size, channels, self.D, self.depth, condition),
        )

    def turns(self) -> int:
        return self.n_dis
