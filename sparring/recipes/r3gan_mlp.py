"""R3GAN's game for points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.games.prior import Prior, normal
from sparring.layers.initial import scaled
from sparring.modalities import Modality, Points
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipe import (
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    Weight,
    Widths,
    discriminator,
    generator,
)
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class R3ganMlp(Regularised):
    """R3GAN's game on fully connected nets: the default for points.

    Huang et al. 2024, arXiv:2501.05441, which proves that this game converges where the others of its kind need
    not. The penalties begin strong, so that G spreads over every mode, and fade until D can tell narrow ones;
    they are taken in one step of four (Karras et al. 2019, arXiv:1912.04958). G learns how steep it is between
    modes (`layers/steep.py`).

    sparring train ring
    """

    takes: ClassVar[tuple[Modality, ...]] = (Points(),)

    batch: Count = 128
    z: Natural = generator(0, "length of the latent vector; 0 for as many as a point has coordinates")
    steep: Natural = generator(64, "units of learnt steepness that the latents pass as well")
    G: Widths = generator((128, 128, 128), "widths of the hidden layers")
    D: Widths = discriminator((128, 128, 128, 128), "widths of the hidden layers")
    gamma_end: Weight = 0.001
    lr: Positive = 1e-3
    lr_end: Positive = 5e-5
    beta2: Decay = 0.99
    beta2_end: Decay = 0.999
    burn_in: Fraction = 1.0
    lazy: Count = 4
    steps: Count = 23_000
    ema_kimg: Weight = 3.0

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
