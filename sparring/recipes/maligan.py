"""MaliGAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.games.policy import MaliGame
from sparring.modalities.text import Text
from sparring.recipes.base import Count, Decay, PolicyRecipe, Positive, Share, Weight, Widths, losses


@dataclass(frozen=True)
class MaliGan(PolicyRecipe):
    """G learns from its own texts, weighted by D / (1 - D).

    Che et al. 2017, "Maximum-likelihood augmented discrete generative adversarial networks", arXiv:1702.07983,
    algorithm 2: generated texts begin with a part of a real one, which falls to nothing, and are rewarded relative to
    the other texts that begin with it. The nets are those of `seqgan`.

    sparring train texts.txt --recipe maligan
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
    anneal: Count = losses(2000, "steps of the last phase until generated texts begin with nothing real")
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

    def game(self, modality: Text) -> MaliGame:
        G, D = self.nets(modality)
        return MaliGame(G, D, modality.length, self.rollouts, self.anneal, classes=len(modality.classes))
