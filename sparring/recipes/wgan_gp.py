"""Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.terms import GP, Term
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Modality
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Decay, Positive, Strided, Weight, WithAdam, alone, losses, optimisation


@dataclass(frozen=True)
class WganGp(WithAdam, Strided):
    """The Wasserstein critic, kept Lipschitz by a gradient penalty.

    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", arXiv:1704.00028: algorithm 1 with its
    default values, on DCGAN's nets; layer norm in the critic, since the penalty is each sample's own.

    sparring train mnist --recipe wgan_gp
    """

    norm: dcgan.Norm = "layer"
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    n_critic: Count = optimisation(5, "moves of the critic for each of G")
    lr: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9

    def adversary(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def turns(self) -> int:
        return self.n_critic

    def check(self) -> None:
        super().check()
        alone(self.norm)
