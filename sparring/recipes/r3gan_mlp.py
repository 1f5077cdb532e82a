"""R3GAN's game for points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.prior import Prior, normal
from sparring.layers.initial import scaled
from sparring.modalities import Modality, Points
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    Share,
    Weight,
    Widths,
    discriminator,
    generator,
    optimisation,
)
from sparring.recipes.r3gan import Regularised
from sparring.schedules import geometric


@dataclass(frozen=True)
class R3ganMlp(Regularised):
    """R3GAN's game on fully connected nets: the default for points.

    Huang et al. 2024, arXiv:2501.05441, which proves that this game converges near its equilibrium, where without the
    penalties it need not. The penalties begin strong, so that G spreads over every mode, and fade in the first half, so
    that D can tell narrow ones; they are taken in one step of four (Karras et al. 2019, arXiv:1912.04958). G learns how
    steep it is between modes (`layers/steep.py`). The rate falls by equal factors, since modes swing about their places
    the farther the higher it is.

    sparring train ring
    """

    takes: ClassVar[tuple[Modality, ...]] = (Points(),)

    batch: Count = 128
    z: Natural = generator(0, "length of the latent vector; 0 for as many as a point has coordinates")
    steep: Natural = generator(64, "units of learnt steepness that the latents pass as well")
    G: Widths = generator((128, 128, 128), "widths of the hidden layers")
    D: Widths = discriminator((128, 128, 128, 128), "widths of the hidden layers")
    gamma_end: Weight = 0.002
    lr: Positive = 1e-3
    lr_end: Positive = optimisation(1e-6, "its value at the end of the run")
    hold: Share = optimisation(0.4, "share of the run before the learning rate falls")
    beta2: Decay = 0.99
    beta2_end: Decay = 0.999
    burn_in: Fraction = optimisation(0.5, "share of the run in which gamma and beta2 go along a cosine")
    lazy: Count = 4
    steps: Count = 23_000
    ema_kimg: Weight = 6.0

    def settings(self, progress: float) -> Mapping[str, object]:
        return {**super().settings(progress), "lr": geometric(self.lr, self.lr_end, progress, self.hold)}

    def prior(self, modality: Modality) -> Prior:
        return normal(self.z or modality.shape[0])

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        classes = len(modality.classes)
        latents = self.prior(modality).width
        G = mlp.Generator(latents, modality.shape, self.G, False, "leaky", "linear", classes, self.steep)
        D = mlp.Discriminator(modality.shape, self.D, classes=classes)
        G.layers[:-1].apply(scaled)
        D.apply(scaled)
        return G, D
