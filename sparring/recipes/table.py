"""The default for tables."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.modalities import Modality
from sparring.modalities import Table as Rows
from sparring.nets import table
from sparring.nets.discriminator import Discriminator
from sparring.recipe import Count, Decay, Fraction, Natural, OfTables, Positive, Weight, discriminator, generator
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class Table(OfTables, Regularised):
    """Rows of mixed kinds, for any values that are asked for.

    The game of `r3gan` (Huang et al. 2024, arXiv:2501.05441) on residual nets. Numbers are quantile bins and places
    within them, choices are made by Gumbel noise (Jang et al. 2016, arXiv:1611.01144), and half of the rows are
    trained to continue a random part of a real one, so that `sample --where` can ask for anything.

    sparring train customers.csv
    """

    batch: Count = 500
    z: Count = 128
    width: Count = generator(256, "of the hidden layers")
    depth: Natural = generator(2, "residual blocks")
    D: Count = discriminator(256, "width of the hidden layers")
    D_depth: Natural = discriminator(2, "residual blocks")
    gamma: Weight = 1.0
    gamma_end: Weight = 0.1
    lr: Positive = 5e-4
    lr_end: Positive = 5e-5
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 4
    ema_kimg: Weight = 100.0

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        assert isinstance(modality, Rows)
        spans = modality.spans()
        return table.Generator(self.z, spans, self.width, self.depth), table.Discriminator(spans, self.D, self.D_depth)
