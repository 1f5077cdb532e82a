"""TimeGAN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from sparring.games.prior import path
from sparring.games.timegan import TimeGAN, Weights
from sparring.modalities import Series
from sparring.nets.recurrent import Recurrent
from sparring.recipes.base import (
    AdamFields,
    Count,
    Decay,
    Phase,
    Positive,
    SeriesRecipe,
    Share,
    Weight,
    generator,
    losses,
    optimization,
)


@dataclass(frozen=True)
class Timegan(AdamFields, SeriesRecipe):
    """A GAN in an autoencoder's code space, with code prediction.

    Yoon, Jarrett and van der Schaar 2019, "Time-series generative adversarial networks", NeurIPS (no arXiv). Three
    stages of equal length: E and R learn to reconstruct, S learns to predict the next code, then all are trained
    against D. The raw values are scaled to [0, 1], so it generates windows, not prices that continue. It is the
    published baseline.

    sparring train prices.csv --recipe timegan
    """

    takes: ClassVar[tuple[Series, ...]] = (Series(scaling="range"),)

    # Data
    window: Count = 24
    # Generator
    width: Count = generator(24, "units of a layer and of a code, in all nets")
    depth: Count = generator(3, "layers of each net; S has one less")
    # Losses
    eta: Weight = losses(100.0, "weight of the prediction of the next code, in G's loss")
    gamma: Weight = losses(1.0, "weight of the codes that did not pass S, in the losses of G and D")
    moments: Weight = losses(100.0, "weight of the differences of means and deviations, in G's loss")
    # Optimization
    batch: Count = 128
    steps: Count = 15_000
    turns: Count = optimization(2, "moves of G and E per move of D")
    lr: Positive = optimization(1e-3, "learning rate of Adam, for all nets")
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 0.0
    ema_ramp: Share = 0.05

    def game(self, modality: Series) -> TimeGAN:
        channels, window = modality.shape
        net = partial(Recurrent, width=self.width, depth=self.depth)
        S = Recurrent(self.width, self.width, self.width, max(1, self.depth - 1))
        return TimeGAN(
            net(channels, self.width), net(self.width, channels), net(channels, self.width), S,
            net(self.width, 1, squashed=False), path(channels, 0, window), channels,
            Weights(eta=self.eta, gamma=self.gamma, moments=self.moments),
        )  # fmt: skip

    def phases(self, game: Any) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.embedding(adam)), Phase(game.supervised(adam)), Phase(game.joint(adam, self.turns))]
