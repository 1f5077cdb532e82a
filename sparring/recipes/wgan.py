"""Wasserstein GAN with weight clipping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import RMSprop

from sparring.games.gan import GAN
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.recipes.base import Count, DcganNets, Phase, Positive, Share, Weight, optimization


@dataclass(frozen=True)
class Wgan(DcganNets[Images]):
    """A critic with clipped weights estimates the Wasserstein distance.

    Arjovsky et al. 2017, "Wasserstein GAN", arXiv:1701.07875: algorithm 1 with its default values, on DCGAN's
    nets.

    sparring train mnist --recipe wgan
    """

    # Generator
    z: Count = 100
    width: Count = 64
    # Discriminator
    norm: dcgan.Norm = "batch"
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    n_critic: Count = optimization(5, "moves of the critic per move of G")
    clip: Positive = optimization(0.01, "largest absolute value of the critic's weights, c")
    lr: Positive = optimization(5e-5, "learning rate of RMSProp, alpha")
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def phases(self, game: GAN) -> list[Phase]:
        rmsprop = partial(RMSprop, lr=self.lr, foreach=True)
        clip = partial(_clip, game.D, self.clip)
        return [Phase(game.players(rmsprop, rmsprop, turns=self.n_critic, after=clip))]


def _clip(net: nn.Module, c: float, _observed: Mapping[str, Tensor]) -> None:
    weights: list[Tensor] = list(net.parameters())
    torch._foreach_clamp_min_(weights, -c)
    torch._foreach_clamp_max_(weights, c)
