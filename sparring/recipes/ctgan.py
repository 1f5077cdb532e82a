"""CTGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor, nn

from sparring.errors import InputError
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.terms import GP, Formula, Term
from sparring.layers.spans import Spans
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Table
from sparring.nets import ctgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamFields,
    Count,
    Decay,
    Phase,
    Positive,
    Share,
    TableRecipe,
    Weight,
    Widths,
    discriminator,
    generator,
    losses,
    optimization,
)


@dataclass(frozen=True)
class Ctgan(AdamFields, TableRecipe):
    """Mixtures for numbers, rows conditioned on a level, packed critic.

    Xu et al. 2019, "Modeling tabular data using conditional GAN", arXiv:1907.00503. Rows are drawn so that rare
    levels occur often enough (training by sampling). Each row is conditioned on one level, which a term of G's loss
    enforces. The default recipe, `table`, is faster and better; this one is the published baseline.

    sparring train customers.csv --recipe ctgan
    """

    takes: ClassVar[tuple[Table, ...]] = (Table(numbers="mixture", asking="level"),)

    # Generator
    z: Count = 128
    G: Widths = generator((256, 256), "widths of the hidden layers")
    temperature: Positive = generator(0.2, "temperature of the Gumbel-softmax, tau")
    # Discriminator
    D: Widths = discriminator((256, 256), "widths of the hidden layers")
    pack: Count = discriminator(10, "rows that D judges together")
    # Losses
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    # Optimization
    batch: Count = 500
    passes: Count = 300
    steps: Count = 20_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.9
    decay: Weight = optimization(1e-6, "weight decay of G")
    ema_kimg: Weight = 0.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        if self.batch // self.shards % self.pack:
            factors = f"shards={self.shards} x pack={self.pack}"
            raise InputError(f"batch={self.batch} must be a multiple of {factors}")

    def nets(self, modality: Table) -> tuple[nn.Module, Discriminator]:
        spans = modality.spans(self.temperature, hard=False)
        return ctgan.Generator(self.z, spans, self.G), ctgan.Discriminator(spans, self.D, self.pack)

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Table, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        condition_loss = partial(_condition_loss, modality.spans())
        return [GP(self.gp, self.pack), Formula("asked", 1.0, condition_loss, of=("G",))]

    def phases(self, game: GAN) -> list[Phase]:
        return [Phase(game.players(self.adam(), self.adam(weight_decay=self.decay)))]


def _condition_loss(spans: Spans, judged: DiscriminatorPass) -> Tensor:
    """Cross-entropy between the requested level and the generated one."""
    assert judged.condition is not None
    spans = spans.to(judged.fake.device, non_blocking=True)
    requested = spans.onehot(judged.condition)
    probabilities = judged.fake[:, : spans.places].clamp(min=1e-6)  # noise on D's input may make them negative
    return -(probabilities.log() * requested).sum(1).mean()
