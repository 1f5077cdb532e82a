"""Wasserstein GAN with clipped weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import RMSprop

from sparring.games.gan import GAN
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.recipes.base import Count, Phase, Positive, Strided, optimisation


@dataclass(frozen=True)
class Wgan(Strided):
    """A critic of clipped weights measures the earth mover's distance.

    Arjovsky et al. 2017, "Wasserstein GAN", arXiv:1701.07875: algorithm 1 with its default values, on DCGAN's
    nets.

    sparring train mnist --recipe wgan
    """

    n_critic: Count = optimisation(5, "moves of the critic for each of G")
    clip: Positive = optimisation(0.01, "largest absolute weight of the critic, c")
    lr: Positive = optimisation(5e-5, "learning rate of RMSProp, alpha")

    def adversary(self) -> AdversarialLoss:
        return wasserstein()

    def phases(self, game: GAN) -> list[Phase]:
        rmsprop = partial(RMSprop, lr=self.lr, foreach=True)
        clip = partial(_clip, game.D, self.clip)
        return [Phase(game.players(rmsprop, rmsprop, turns=self.n_critic, after=clip))]


def _clip(net: nn.Module, c: float, _observed: Mapping[str, Tensor]) -> None:
    weights: list[Tensor] = list(net.parameters())
    torch._foreach_clamp_min_(weights, -c)
    torch._foreach_clamp_max_(weights, c)
