"""Recipes of language models that learn from D's judgment by score-function estimators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparring.errors import InputError
from sparring.games.policy import PolicyGame
from sparring.modalities.text import Text
from sparring.nets.sequence import LanguageModel
from sparring.nets.sequence_discriminator import SequenceDiscriminator
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.fields import Count, Positive, Share, Widths, discriminator, generator, losses, optimization
from sparring.recipes.base.recipe import Phase
from sparring.recipes.base.text import TextRecipe

CLIP = 5.0  # norm of G's gradient, as in SeqGAN's code


@dataclass(frozen=True)
class PolicyRecipe(AdamFields, TextRecipe):
    """Three phases: G by likelihood, D alone, and both."""

    # Generator
    embedding: Count = generator(32, "length of a token's vector")
    width: Count = generator(32, "units of a layer")
    depth: Count = generator(1, "layers")
    # Discriminator
    D: Count = discriminator(100, "channels of the convolutions of each size, and length of a token's vector")
    filters: Widths = discriminator((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20), "tokens that the convolutions see")
    D_dropout: Share = discriminator(0.25, "share of D's units that are dropped during training")
    # Losses
    rollouts: Count = losses(16, "sequences by which an action is rewarded")
    # Optimization
    judging: Share = optimization(0.1, "share of the steps in which D learns alone, after those by likelihood")
    adversarial: Share = optimization(0.3, "share of the steps in which both learn")
    turns: Count = optimization(5, "moves of D per step of the last phase")
    lr: Positive = optimization(1e-2, "learning rate of Adam, for G by likelihood")
    G_lr: Positive = optimization(1e-3, "learning rate of Adam, for G by D's judgment")
    D_lr: Positive = optimization(1e-4, "learning rate of Adam, for D")

    def check(self) -> None:
        super().check()
        if self.judging + self.adversarial > 1:
            raise InputError(f"judging={self.judging:g} and adversarial={self.adversarial:g} are more than all steps")

    def nets(self, modality: Text) -> tuple[LanguageModel, SequenceDiscriminator]:
        """G and D."""
        tokens, classes = len(modality.tokenizer.vocabulary), len(modality.classes)
        sizes, ends = (tokens, self.embedding, self.width, self.depth), not modality.continuous
        G = LanguageModel(*sizes, classes=classes, ends=ends)
        D = SequenceDiscriminator(tokens, self.D, self.filters, False, self.D_dropout, classes)
        return G, D

    def phases(self, game: Any) -> list[Phase]:
        assert isinstance(game, PolicyGame)
        D = self.adam(lr=self.D_lr)(game.D.parameters())
        first = game.likelihood(self.adam(), clip=CLIP)
        last = game.adversarial(lambda _: D, self.adam(lr=self.G_lr), self.turns, clip=CLIP)
        shares = (1 - self.judging - self.adversarial, self.judging, self.adversarial)
        players = (first, game.judging(lambda _: D), last)
        return [Phase(who, share) for who, share in zip(players, shares, strict=True)]
