"""R3GAN's game on strided convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.nets import dcgan
from sparring.recipes.base import Count, Decay, Fraction, Positive, Strided, Weight
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class R3ganStrided(Regularised, Strided):
    """R3GAN's game on DCGAN's nets: the default for pictures on a CPU.

    Huang et al. 2024, arXiv:2501.05441, with D's normalisation left out, G's kept, and R1 and R2 in one step of
    eight (Karras et al. 2019, arXiv:1912.04958). Gamma is that of 32 pixels, and grows with their number. What
    it makes of seven sets in minutes is in docs/pictures.md.

    sparring train mnist --time 10m
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)
    side: ClassVar[int] = 32

    width: Count = 32
    norm: dcgan.Norm = "none"
    gamma: Weight = 0.4
    gamma_end: Weight = 0.04
    lr: Positive = 1e-3
    lr_end: Positive = 1e-4
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 8
