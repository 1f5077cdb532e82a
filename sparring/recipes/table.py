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
from sparring.modalities import Table as TableModality
from sparring.nets import table
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Natural,
    Positive,
    RelativisticGan,
    Share,
    TableRecipe,
    Weight,
    discriminator,
    generator,
    losses,
)


@dataclass(frozen=True)
class Table(TableRecipe, RelativisticGan[TableModality]):
    """Rows of mixed types, conditioned on any values.

    The game of `r3gan` (Huang et al. 2024, arXiv:2501.05441) on residual nets. A number is a quantile bin and a
    position within it; categories are drawn by Gumbel noise (Jang et al. 2016, arXiv:1611.01144). Most training rows
    complete a part of a real row, so that `sample --where` can request any values. Single missing values are learned by
    maximum likelihood, and samples are refined with that distribution.

    sparring train customers.csv
    """

    bf16: ClassVar[tuple[str, ...]] = ("rows",)

    # Generator
    z: Count = 128
    width: Count = generator(256, "width of the hidden layers")
    depth: Natural = generator(2, "residual blocks")
    sweeps: Natural = generator(1, "refinement passes over samples: each column is redrawn given all others")
    # Discriminator
    D: Count = discriminator(256, "width of the hidden layers")
    D_depth: Natural = discriminator(2, "residual blocks")
    # Losses
    filled: Weight = losses(1.0, "weight of the cross-entropy of single missing values, in G's loss")
    gamma: Weight = 0.5
    gamma_end: Weight = 0.05
    # Optimization
    batch: Count = 500
    passes: Count = 300
    steps: Count = 20_000
    lr: Positive = 1e-3
    lr_end: Positive = 5e-5
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 4
    ema_kimg: Weight = 100.0
    ema_ramp: Share = 0.05

    def terms(self, modality: TableModality, G: nn.Module, D: Discriminator) -> Sequence[Term]:
        assert isinstance(G, table.Generator)
        return [*super().terms(modality, G, D), *([Filled(G, self.filled)] if self.filled else [])]

    def game_class(self, modality: TableModality) -> Callable[..., GAN]:
        return partial(FilledGAN, sweeps=self.sweeps, last=modality.target_index)

    def finish(self, game: Game, modality: TableModality, seconds: float) -> None:
        assert isinstance(game, FilledGAN)
        cpu = torch.device("cpu")
        game.calibrate(modality.level_shares(), lambda n: modality.draw_conditions(n, cpu), seconds)

    def finish_seconds(self, game: Game, modality: TableModality) -> tuple[float, float]:  # noqa: ARG002
        assert isinstance(game, FilledGAN)
        return game.calibration_seconds()

    def nets(self, modality: TableModality) -> tuple[nn.Module, Discriminator]:
        spans = modality.spans()
        return table.Generator(self.z, spans, self.width, self.depth), table.Discriminator(spans, self.D, self.D_depth)
