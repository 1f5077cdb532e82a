"""R3GAN's objective on strided convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.recipes.base import Count, DcganNets, Decay, Fraction, Positive, RelativisticGan, Share, Weight


@dataclass(frozen=True)
class R3ganStrided(RelativisticGan[Images], DcganNets[Images]):
    """R3GAN's objective on DCGAN's nets: the default for images.

    Huang et al. 2024, arXiv:2501.05441, without normalization in D and with it in G, and with R1 and R2 in every
    eighth step (Karras et al. 2019, arXiv:1912.04958). Gamma is given for 32 pixels and grows with the number of
    pixels. docs/pictures.md shows its results on seven data sets after minutes of training.

    sparring train mnist --time 10m
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)
    side: ClassVar[int] = 32

    # Generator
    z: Count = 64
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "none"
    # Losses
    gamma: Weight = 0.4
    gamma_end: Weight = 0.04
    # Optimization
    batch: Count = 64
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
