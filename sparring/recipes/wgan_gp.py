"""Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.terms import GP, Term
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    DcganNets,
    Decay,
    Positive,
    Share,
    Weight,
    losses,
    optimization,
    refuse_batch_norm,
)


@dataclass(frozen=True)
class WganGp(AdamGan[Images], DcganNets[Images]):
    """The Wasserstein critic, kept Lipschitz by a gradient penalty.

    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", arXiv:1704.00028: algorithm 1 with its default
    values, on DCGAN's nets. The critic has layer norm, because the penalty is defined per sample.

    sparring train mnist --recipe wgan_gp
    """

    # Generator
    z: Count = 100
    width: Count = 64
    # Discriminator
    norm: dcgan.Norm = "layer"
    # Losses
    gp: Weight = losses(10.0, "weight of the gradient penalty, lambda")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    n_critic: Count = optimization(5, "moves of the critic per move of G")
    lr: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def turns(self) -> int:
        return self.n_critic

    def check(self) -> None:
        super().check()
        refuse_batch_norm(self.norm)
