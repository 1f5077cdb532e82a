"""SeqGAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.games.policy import PolicyGame
from sparring.modalities.text import Text
from sparring.recipes.base import Count, Decay, PolicyRecipe, Positive, Share, Weight, Widths


@dataclass(frozen=True)
class SeqGan(PolicyRecipe):
    """Drawing a token is an action that D rewards by rollouts.

    Yu et al. 2016, "SeqGAN: sequence generative adversarial nets with policy gradient", arXiv:1609.05473. G has gated
    recurrent units in place of LSTM units, and draws rollouts itself instead of by a delayed copy. In a step, one
    action of each text is rewarded by 16 rollouts. All sizes of convolutions have equally many channels, fewer than in
    the paper.

    sparring train texts.txt --recipe seqgan
    """

    # Generator
    embedding: Count = 32
    width: Count = 32
    depth: Count = 1
    # Discriminator
    D: Count = 64
    filters: Widths = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
    D_dropout: Share = 0.25
    # Losses
    rollouts: Count = 16
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    passes: Count = 160
    judging: Share = 0.1
    adversarial: Share = 0.3
    turns: Count = 5
    lr: Positive = 1e-2
    G_lr: Positive = 1e-3
    D_lr: Positive = 1e-4
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 1.0
    ema_ramp: Share = 0.05

    def game(self, modality: Text) -> PolicyGame:
        G, D = self.nets(modality)
        return PolicyGame(G, D, modality.length, self.rollouts, classes=len(modality.classes))
