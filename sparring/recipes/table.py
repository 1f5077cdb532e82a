"""The default for tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import nn

from sparring.games.filled import Filled, FilledGAN
from sparring.games.game import Game
from sparring.games.gan import GAN
from sparring.games.terms import Term
from sparring.modalities import Modality
from sparring.modalities import Table as Rows
from sparring.nets import table
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Natural,
    OfTables,
    Positive,
    Weight,
    discriminator,
    generator,
    losses,
)
from sparring.recipes.r3gan import Regularised


@dataclass(frozen=True)
class Table(OfTables, Regularised):
    """Rows of mixed kinds, for any values that are asked for.

    The game of `r3gan` (Huang et al. 2024, arXiv:2501.05441) on residual nets. Numbers are quantile bins and places
    within them, choices are made by Gumbel noise (Jang et al. 2016, arXiv:1611.01144), and most rows are trained
    to continue some part of a real one, so that `sample --where` can ask for anything; single gaps are learnt by
    maximum likelihood, and samples polished by them.

    sparring train customers.csv
    """

    bf16: ClassVar[tuple[str, ...]] = ("rows",)

    batch: Count = 500
    z: Count = 128
    width: Count = generator(256, "of the hidden layers")
    depth: Natural = generator(2, "residual blocks")
    D: Count = discriminator(256, "width of the hidden layers")
    D_depth: Natural = discriminator(2, "residual blocks")
    filled: Weight = losses(1.0, "weight of the cross entropy of single gaps, in G's loss")
    sweeps: Natural = generator(1, "times that samples are polished: each column drawn anew, all others given")
    gamma: Weight = 0.5
    gamma_end: Weight = 0.05
    lr: Positive = 1e-3
    lr_end: Positive = 5e-5
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 4
    ema_kimg: Weight = 100.0

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:
        assert isinstance(G, table.Generator)
        return [*super().terms(modality, G, D), *([Filled(G, self.filled)] if self.filled else [])]

    def rules(self, modality: Modality) -> Callable[..., GAN]:
        assert isinstance(modality, Rows)
        return partial(FilledGAN, sweeps=self.sweeps, last=modality.place)

    def finish(self, game: Game, modality: Modality) -> None:
        assert isinstance(modality, Rows)
        assert isinstance(game, FilledGAN)
        cpu = torch.device("cpu")
        game.calibrate(modality.shares(), lambda n: modality.draw_conditions(n, cpu))

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        assert isinstance(modality, Rows)
        spans = modality.spans()
        return table.Generator(self.z, spans, self.width, self.depth), table.Discriminator(spans, self.D, self.D_depth)
