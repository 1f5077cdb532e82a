"""The private GAN for tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.marginals import Marginals
from sparring.games.terms import Term
from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Table
from sparring.nets import table
from sparring.nets.discriminator import Discriminator
from sparring.privacy import SecretNoise, gaussian_noise
from sparring.recipes.base import (
    Count,
    Decay,
    Delta,
    Natural,
    Positive,
    PrivateRecipe,
    Share,
    TableRecipe,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)

SELECTION = 0.5  # share of delta for the choice of levels


@dataclass(frozen=True)
class Dptable(PrivateRecipe[Table], TableRecipe):
    """Rows with differential privacy: DP-SGD and private marginals.

    D is trained by DP-SGD (Abadi et al. 2016, arXiv:1607.00133; for GANs Xie et al. 2018, arXiv:1802.06739). G also
    fits noisy marginals of pairs of columns, as in Liu et al. 2021, arXiv:2106.07153. The columns, whose ranges and
    levels are found with noise, the marginals and D share the budget.

    sparring train customers.csv --recipe dptable privacy=3
    """

    # Generator
    z: Count = 128
    width: Count = generator(256, "width of the hidden layers")
    depth: Natural = generator(2, "residual blocks")
    # Discriminator
    D: Count = discriminator(64, "width of the hidden layers")
    D_depth: Natural = discriminator(1, "residual blocks")
    # Losses
    marginals: Weight = losses(
        1.0, "weight of the distance to the noisy marginals, in units of their noise, in G's loss"
    )
    adversarial: Weight = losses(1.0, "weight of the adversarial loss in G's loss")
    # Optimization
    privacy: Positive = 8.0
    delta: Delta = 1e-5
    clip: Positive = 1.0
    columns_share: Share = optimization(0.1, "share of the budget for the ranges, levels and counts of columns")
    marginals_share: Share = optimization(0.7, "share of the budget for the marginals; the rest is for D")
    batch: Count = 500
    G_batch: Count = 1000
    passes: Count = 300
    steps: Count = 3000
    D_steps: Count = 1
    lr: Positive = 1e-3
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    ema_kimg: Weight = 100.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if self.constraints:
            raise InputError("constraints are checked against all rows, which is not private; leave them out")
        if self.columns_share <= 0 or self.columns_share + self.marginals_share >= 1:
            shares = f"columns_share={self.columns_share:g} and marginals_share={self.marginals_share:g}"
            raise InputError(f"{shares} leave nothing for D, or nothing for columns; give a sum below 1")

    def modality(self, kind: str) -> Table:
        return replace(super().modality(kind), asking="target")

    def max_steps(self, items: int) -> int:
        return min(self.steps, super().max_steps(items))  # a run that is bounded by time needs a number of steps

    def fitted(self, items: Items) -> Table:
        selection = SELECTION * self.delta
        whole = gaussian_noise(self.privacy, self.delta - selection)
        columns, pairs = (
            whole / math.sqrt(share) if share else math.inf for share in (self.columns_share, self.marginals_share)
        )
        return self.modality(items.kind).fit_privately(items, columns, pairs, selection, SecretNoise())

    def published(self, modality: Table) -> Table:
        return modality  # all of it is measured with noise; `measured` refuses others

    def draw_conditions(self, modality: Table, n: int, device: torch.device) -> Tensor | None:
        return modality.draw_conditions(n, device)  # by noisy counts

    def game_class(self, modality: Table) -> Callable[..., GAN]:
        return partial(super().game_class(modality), weight=self.adversarial)

    def adversarial_loss(self) -> AdversarialLoss:
        return non_saturating()

    def terms(self, modality: Table, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(G, table.Generator)
        measured = modality.measured
        return [Marginals(G, measured.pairs, self.marginals)] if measured and measured.pairs and self.marginals else []

    def nets(self, modality: Table) -> tuple[nn.Module, Discriminator]:
        spans = modality.spans()
        return table.Generator(self.z, spans, self.width, self.depth), table.Discriminator(spans, self.D, self.D_depth)
