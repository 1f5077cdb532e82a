"""R3GAN's game for points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.modalities import Modality, Points
from sparring.nets import mlp
from sparring.recipe import (
    Count,
    Widths,
    discriminator,
    generator,
)
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class R3ganMlp(Regularised):
    """R3GAN's loss, penalties and schedules on fully connected nets: the default for points.

    Huang et al. 2024, arXiv:2501.05441, which proves that this game converges where the others of
    its kind need not.

    sparring train ring
    """

    takes: ClassVar[tuple[Modality, ...]] = (Points(),)

    batch: Count = 256
    G: Widths = generator((256, 256, 256), "widths of the hidden layers")
    D: Widths = discriminator((256, 256, 256), "widths of the hidden layers")

    def nets(self, modality: Modality) -> tuple[nn.Module, nn.Module]:
        classes = len(modality.classes)
        return (
            mlp.Generator(self.z, modality.shape, self.G, norm=False, output="linear", classes=classes),
            mlp.Discriminator(modality.shape, self.D, classes=classes),
        )
