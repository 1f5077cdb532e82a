"""CTGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor, nn
from torch.optim import Adam

from sparring.errors import InputError
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.terms import GP, Formula, Term
from sparring.layers.spans import Spans
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Modality, Table
from sparring.nets import ctgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    OfTables,
    Phase,
    Positive,
    Weight,
    Widths,
    discriminator,
    generator,
    losses,
    optimisation,
)


@dataclass(frozen=True)
class Ctgan(OfTables):
    """Numbers as mixtures, rows asked for by one level, packed critic.

    Xu et al. 2019, "Modeling tabular data using conditional GAN", arXiv:1907.00503. Rows are drawn so that rare
    levels are seen (training by sampling); a row is asked for one level, which G's loss reminds it of. `table`, the
    default, is faster and better: this is what it is held against.

    sparring train customers.csv --recipe ctgan
    """

    batch: Count = 500
    z: Count = 128
    G: Widths = generator((256, 256), "widths of the hidden layers")
    D: Widths = discriminator((256, 256), "widths of the hidden layers")
    pack: Count = discriminator(10, "rows that D judges together")
    temperature: Positive = generator(0.2, "of the softmax of choices, tau")
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    lr: Positive = optimisation(2e-4, "learning rate of Adam, for G and D")
    beta1: Decay = optimisation(0.5, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.9, "Adam's decay of the second moment")
    decay: Weight = optimisation(1e-6, "Adam's decay of G's weights")
    ema_kimg: Weight = 0.0

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Table)
        return replace(modality, numbers="mixture", asking="level")

    def check(self) -> None:
        super().check()
        if self.batch // self.accumulate % self.pack:
            parts = f"accumulate={self.accumulate} times pack={self.pack}"
            raise InputError(f"batch={self.batch} does not split into {parts} equal parts")

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        assert isinstance(modality, Table)
        spans = modality.spans(self.temperature, hard=False)
        return ctgan.Generator(self.z, spans, self.G), ctgan.Discriminator(spans, self.D, self.pack)

    def adversary(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(modality, Table)
        reminded = partial(_reminded, modality.spans())
        return [GP(self.gp, self.pack), Formula("asked", 1.0, reminded, of=("G",))]

    def phases(self, game: GAN) -> list[Phase]:
        adam = partial(Adam, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)
        return [Phase(game.players(adam, partial(adam, weight_decay=self.decay)))]


def _reminded(spans: Spans, judged: DiscriminatorPass) -> Tensor:
    """Cross entropy of the level that was asked for."""
    assert judged.condition is not None
    spans = spans.to(judged.fake.device)
    asked = spans.onehot(judged.condition)
    said = judged.fake[:, : spans.places].clamp(min=1e-6)  # with noise on it, it may be below 0
    return -(said.log() * asked).sum(1).mean()
