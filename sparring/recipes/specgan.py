"""SpecGAN, with today's loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.modalities import Audio
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AudioRecipe,
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    data,
    generator,
)


@dataclass(frozen=True)
class Specgan(RelativisticGan[Audio], AudioRecipe):
    """Pictures of log-mel levels, with phases by Griffin-Lim.

    Donahue et al. 2019, "Adversarial audio synthesis", arXiv:1802.04208: DCGAN's nets make pictures of spectra. The
    pictures are log-mel levels in place of all bins of the transform, and the loss is R3GAN's (Huang et al. 2024,
    arXiv:2501.05441) in place of WGAN-GP's. Phases are found by 48 iterations of Griffin and Lim 1984.

    sparring train drums --recipe specgan
    """

    takes: ClassVar[tuple[Audio, ...]] = (Audio(form="mel"),)
    side: ClassVar[int] = 32

    # Data
    size: Natural = data(0, "bands and frames of a picture; 0: frames of at most 16 ms", sets="side")
    # Generator
    z: Count = 64
    width: Count = generator(32, "channels of the layer next to the picture, in G and D")
    # Losses
    gamma: Weight = 0.4
    gamma_end: Weight = 0.04
    # Optimization
    batch: Count = 16
    steps: Count = 20_000
    lr: Positive = 1e-3
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 8
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def nets(self, modality: Audio) -> tuple[nn.Module, Discriminator]:
        channels, side, _ = modality.shape
        G = dcgan.Generator(self.z, side, channels, self.width, modality.condition)
        return G, dcgan.Discriminator(side, channels, self.width, "none", modality.condition)
