"""ScratchGAN."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.games.dense_rewards import DenseRewardsGame
from sparring.modalities.text import Text
from sparring.nets.scratchgan import TokenDiscriminator
from sparring.nets.sequence import LanguageModel
from sparring.recipes.base import (
    AdamFields,
    Count,
    Decay,
    Phase,
    Positive,
    Share,
    TextRecipe,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)

CLIP = 10.0  # norm of G's gradient


@dataclass(frozen=True)
class ScratchGan(AdamFields, TextRecipe):
    """D rewards every token; no training by likelihood before.

    de Masson d'Autume et al. 2019, "Training language GANs from scratch", arXiv:1905.09922: large batches, a reward for
    each token, and a moving average of rewards that is subtracted. G has gated recurrent units in place of LSTM units,
    and vectors of tokens are learned instead of being those of GloVe. It takes very many steps.

    sparring train texts.txt --recipe scratchgan
    """

    # Generator
    embedding: Count = generator(300, "length of a token's vector, in D too")
    width: Count = generator(512, "units of a layer")
    depth: Count = generator(2, "layers")
    # Discriminator
    D: Count = discriminator(512, "units of the recurrent layer")
    D_dropout: Share = discriminator(0.1, "share of the units of D's vectors that are dropped during training")
    # Losses
    discount: Share = losses(0.23, "factor of the reward of the token that follows")
    # Optimization
    batch: Count = 512
    steps: Count = 100_000
    passes: Count = 10_000
    lr: Positive = optimization(9.59e-5, "learning rate of Adam, for G")
    D_lr: Positive = optimization(9.38e-3, "learning rate of Adam, for D")
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game(self, modality: Text) -> DenseRewardsGame:
        tokens, classes = len(modality.tokenizer.vocabulary), len(modality.classes)
        sizes, ends = (tokens, self.embedding, self.width, self.depth), not modality.continuous
        G = LanguageModel(*sizes, classes=classes, ends=ends)
        D = TokenDiscriminator(tokens, self.embedding, self.D, self.D_dropout, classes)
        return DenseRewardsGame(G, D, modality.length, self.discount, classes)

    def phases(self, game: DenseRewardsGame) -> list[Phase]:
        return [Phase(game.adversarial(self.adam(lr=self.D_lr), self.adam(), clip=CLIP))]
