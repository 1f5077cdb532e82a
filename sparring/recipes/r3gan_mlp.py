"""R3GAN's objective for points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.prior import Prior, normal
from sparring.layers.initial import init_he
from sparring.modalities import Points
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    RelativisticGan,
    Share,
    Weight,
    Widths,
    discriminator,
    generator,
    optimization,
)
from sparring.schedules import geometric


@dataclass(frozen=True)
class R3ganMlp(RelativisticGan[Points]):
    """R3GAN's objective on fully connected nets: the default for points.

    Huang et al. 2024, arXiv:2501.05441, which proves that this game converges near its equilibrium; without the
    penalties it need not. The penalties start strong, so that G covers every mode, and fade in the first half, so that
    D can resolve narrow modes. They are computed in every fourth step (Karras et al. 2019, arXiv:1912.04958). G learns
    its steepness between modes (`layers/learned_steepness.py`). The learning rate falls geometrically, because modes
    oscillate around their positions, farther at a higher rate.

    sparring train ring
    """

    takes: ClassVar[tuple[Points, ...]] = (Points(),)

    # Generator
    z: Natural = generator(0, "length of the latent vector; 0: the number of coordinates of a point")
    steep: Natural = generator(64, "additional inputs of G with learned steepness")
    G: Widths = generator((128, 128, 128), "widths of the hidden layers")
    # Discriminator
    D: Widths = discriminator((128, 128, 128, 128), "widths of the hidden layers")
    # Losses
    gamma: Weight = 1.0
    gamma_end: Weight = 0.002
    # Optimization
    batch: Count = 128
    steps: Count = 23_000
    lr: Positive = 1e-3
    lr_end: Positive = optimization(1e-6, "learning rate at the end of the run")
    hold: Share = optimization(0.4, "share of the run before the learning rate falls")
    beta1: Decay = 0.0
    beta2: Decay = 0.99
    beta2_end: Decay = 0.999
    burn_in: Fraction = optimization(0.5, "share of the run in which gamma and beta2 follow a cosine")
    lazy: Count = 4
    ema_kimg: Weight = 6.0
    ema_ramp: Share = 0.05

    def schedule(self, progress: float) -> Mapping[str, object]:
        return {**super().schedule(progress), "lr": geometric(self.lr, self.lr_end, progress, self.hold)}

    def prior(self, modality: Points) -> Prior:
        return normal(self.z or modality.shape[0])

    def nets(self, modality: Points) -> tuple[nn.Module, Discriminator]:
        condition = modality.condition
        latents = self.prior(modality).width
        G = mlp.Generator(latents, modality.shape, self.G, False, "leaky", "linear", condition, self.steep)
        D = mlp.Discriminator(modality.shape, self.D, condition=condition)
        G.layers[:-1].apply(init_he)
        D.apply(init_he)
        return G, D
