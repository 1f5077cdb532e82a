"""R3GAN's game for points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from sparring.layers.initial import scaled
from sparring.modalities import Modality, Points
from sparring.nets import mlp
from sparring.recipe import (
    Count,
    Decay,
    Natural,
    Part,
    Positive,
    Widths,
    discriminator,
    generator,
)
from sparring.recipes.r3gan import Regularised
from sparring.schedules import geometric


@dataclass(frozen=True)
class R3ganMlp(Regularised):
    """R3GAN's loss, penalties and schedules on fully connected nets: the default for points.

    Huang et al. 2024, arXiv:2501.05441, which proves that this game converges where the others of
    its kind need not. The penalties begin strong, so that G spreads over every mode, and fade until
    D can tell narrow ones. Some latents count by their sign alone, so that G can jump from mode to mode
    (Khayatkhoei et al. 2018, arXiv:1806.00880). R1 and R2 in one step of eight (Karras et al. 2019,
    arXiv:1912.04958).

    sparring train ring
    """

    takes: ClassVar[tuple[Modality, ...]] = (Points(),)

    batch: Count = 128
    z: Natural = generator(0, "length of the latent vector; 0 for as many as a point has coordinates")
    codes: Natural = generator(10, "further latents that count by their sign alone")
    G: Widths = generator((128, 128, 128), "widths of the hidden layers")
    D: Widths = discriminator((128, 128, 128), "widths of the hidden layers")
    gamma: Positive = 1.0
    gamma_end: Positive = 0.0002
    lr: Positive = 1e-3
    lr_end: Positive = 1e-5
    beta2: Decay = 0.99
    beta2_end: Decay = 0.999
    burn_in: Part = 1.0
    lazy: Count = 8
    steps: Count = 28_000

    def latents(self, modality: Modality) -> int:
        return (self.z or modality.shape[0]) + self.codes

    def penalty(self, strength: float, progress: Tensor) -> Tensor:
        return strength * geometric(self.gamma, self.gamma_end, progress, self.burn_in)

    def nets(self, modality: Modality) -> tuple[nn.Module, nn.Module]:
        classes, latents = len(modality.classes), self.latents(modality)
        G = mlp.Generator(latents, modality.shape, self.G, False, "leaky", "linear", classes, self.codes)
        return G.apply(scaled), mlp.Discriminator(modality.shape, self.D, classes=classes).apply(scaled)
