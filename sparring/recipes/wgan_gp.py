"""Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from torch import nn
from torch.optim import Adam

from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.terms import GP, Term
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipe import Count, Decay, Phase, Positive, Strided, Weight, losses, optimisation


@dataclass(frozen=True)
class WganGp(Strided):
    """The Wasserstein critic, kept Lipschitz by a gradient penalty.

    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", arXiv:1704.00028: algorithm 1 with its
    default values, on DCGAN's nets; layer norm in the critic, since the penalty is each sample's own.

    sparring train mnist --recipe wgan_gp
    """

    norm: dcgan.Norm = "layer"
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    n_critic: Count = optimisation(5, "moves of the critic for each of G")
    lr: Positive = optimisation(1e-4, "learning rate of Adam, alpha")
    beta1: Decay = optimisation(0.0, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.9, "Adam's decay of the second moment")

    def adversary(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def phases(self, game: GAN) -> list[Phase]:
        adam = partial(Adam, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)
        return [Phase(game.players(adam, adam, turns=self.n_critic))]

    def check(self) -> None:
        super().check()
        if self.norm == "batch":
            raise InputError("norm=batch does not go with a gradient penalty, each sample's own; use norm=layer")
