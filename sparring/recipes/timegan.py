"""TimeGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch.optim import Adam

from sparring.games.prior import path
from sparring.games.timegan import TimeGAN, Weights
from sparring.modalities import Modality
from sparring.modalities import Series as Paths
from sparring.nets.recurrent import Recurrent
from sparring.recipes.base import Count, Decay, OfSeries, Phase, Positive, Weight, generator, losses, optimisation


@dataclass(frozen=True)
class Timegan(OfSeries):
    """A GAN of an autoencoder's codes, whose steps are foreseen.

    Yoon, Jarrett and van der Schaar 2019, "Time-series generative adversarial networks", NeurIPS (no arXiv). Three
    stages of equal length: E and R learn to reconstruct, S to foresee the next code, then all play against D. Values
    are scaled to [0, 1] as they are, so it makes windows, not prices that go on; the published baseline.

    sparring train prices.csv --recipe timegan
    """

    batch: Count = 128
    window: Count = 24
    width: Count = generator(24, "units of a layer, and of a code; in D too")
    depth: Count = generator(3, "layers, in D too; S has one less")
    eta: Weight = losses(100.0, "weight of foreseeing in G's loss")
    gamma: Weight = losses(1.0, "weight of codes that S has not seen, for G and D")
    moments: Weight = losses(100.0, "weight of means and deviations in G's loss")
    lr: Positive = optimisation(1e-3, "learning rate of every Adam")
    beta1: Decay = optimisation(0.9, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.999, "Adam's decay of the second moment")
    turns: Count = optimisation(2, "moves of G and of E for each of D")
    steps: Count = 15_000
    ema_kimg: Weight = 0.0

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Paths)
        return replace(modality, scaling="range")

    def game(self, modality: Modality) -> TimeGAN:
        channels, window = modality.shape
        net = partial(Recurrent, width=self.width, depth=self.depth)
        S = Recurrent(self.width, self.width, self.width, max(1, self.depth - 1))
        return TimeGAN(
            net(channels, self.width), net(self.width, channels), net(channels, self.width), S,
            net(self.width, 1, squashed=False), path(channels, 0, window), channels,
            Weights(eta=self.eta, gamma=self.gamma, moments=self.moments),
        )  # fmt: skip

    def phases(self, game: Any) -> list[Phase]:
        adam = partial(Adam, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)
        return [Phase(game.embedding(adam)), Phase(game.supervised(adam)), Phase(game.joint(adam, self.turns))]
