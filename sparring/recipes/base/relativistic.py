"""The game of R3GAN, on any pair of nets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import nn

from sparring.games.gan import GAN
from sparring.games.terms import R1, R2, Term
from sparring.losses.adversarial import AdversarialLoss, relativistic
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.adversarial import Adversarial
from sparring.recipes.base.fields import Count, Decay, Fraction, Positive, Weight, losses, optimization
from sparring.recipes.base.recipe import M, Phase
from sparring.schedules import cosine


@dataclass(frozen=True)
class RelativisticGan(AdamFields, Adversarial[M]):
    """The relativistic loss with R1 and R2, with scheduled weights and Adam. Huang et al. 2024, arXiv:2501.05441.

    Attributes:
        side: image size in pixels that gamma is given for; it grows with the number of pixels. 0: it does not.
    """

    side: ClassVar[int] = 0

    gamma: Weight = losses(1.0, "weight of R1 and R2 at the start")
    gamma_end: Weight = losses(0.1, "weight of R1 and R2 at the end of the burn-in")
    lr: Positive = optimization(2e-4, "learning rate of Adam at the start, for G and D")
    lr_end: Positive = optimization(5e-5, "learning rate at the end of the burn-in")
    beta1: Decay = 0.0
    beta2: Decay = optimization(0.9, "Adam's decay rate of the second moment at the start")
    beta2_end: Decay = optimization(0.99, "Adam's decay rate of the second moment at the end of the burn-in")
    burn_in: Fraction = optimization(0.2, "share of the run in which gamma, lr and beta2 follow a cosine")
    lazy: Count = optimization(1, "steps between those in which D minimizes R1 and R2, lazy times as strongly")

    def strength(self, modality: M) -> float:
        """Factor of gamma for data of this size."""
        return (modality.shape[-1] / self.side) ** 2 if self.side else 1.0

    def adversarial_loss(self) -> AdversarialLoss:
        return relativistic()

    def terms(self, modality: M, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        strength = self.strength(modality)
        gamma = partial(cosine, strength * self.gamma, strength * self.gamma_end, share=self.burn_in)
        return [R1(gamma, self.lazy), R2(gamma, self.lazy)]

    def phases(self, game: GAN) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, schedule=self.schedule))]

    def schedule(self, progress: float) -> Mapping[str, object]:
        """Settings of both optimizers at a point of the run in [0, 1]."""
        beta2 = cosine(self.beta2, self.beta2_end, progress, self.burn_in)
        return {"lr": cosine(self.lr, self.lr_end, progress, self.burn_in), "betas": (self.beta1, beta2)}
