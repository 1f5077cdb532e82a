"""Recipes of a language model that is trained by likelihood, then against a D that chooses among its sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparring.errors import InputError
from sparring.games.resampled import ResampledGame
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.fields import Count, Positive, Share, Weight, discriminator, generator, losses, optimization
from sparring.recipes.base.recipe import M, Phase, Recipe

CLIP = 1.0  # norm of G's gradient


@dataclass(frozen=True)
class ResampledRecipe(AdamFields, Recipe[M]):
    """The phases of a `ResampledGame`, and their fields."""

    # Generator
    embedding: Count = generator(64, "length of a token's vector")
    width: Count = generator(320, "units of a layer")
    depth: Count = generator(1, "layers")
    dropout: Share = generator(0.0, "share of the units that are dropped during training")
    candidates: Count = generator(6, "sequences that are drawn for each sample, of which D chooses one")
    # Discriminator
    D: Count = discriminator(128, "units of the hidden layer")
    # Losses
    taught: Weight = losses(0.1, "weight of the likelihood of G's own sequences, as D weights them")
    # Optimization
    adversarial: Share = optimization(0.25, "share of the steps that are adversarial, after those by likelihood")
    lr: Positive = optimization(2e-3, "learning rate of Adam, for G in the first phase")
    lr_end: Positive = optimization(2e-4, "learning rate of G at the end of the first phase, and after it")
    D_lr: Positive = optimization(5e-4, "learning rate of Adam, for D")

    def check(self) -> None:
        super().check()
        if not self.adversarial and self.candidates > 1:
            raise InputError(f"adversarial=0 trains no D, which candidates={self.candidates} need; give candidates=1")

    def phases(self, game: Any) -> list[Phase]:
        assert isinstance(game, ResampledGame)
        G = self.adam()(game.G.parameters())
        first = game.likelihood(lambda _: G, schedule=self._cooled, clip=CLIP)
        second = game.adversarial(self.adam(lr=self.D_lr), lambda _: G, schedule=lambda _: self._cooled(1.0), clip=CLIP)
        return [Phase(first, 1 - self.adversarial), Phase(second, self.adversarial)]

    def _cooled(self, progress: float) -> dict[str, float]:
        """The learning rate of G falls geometrically."""
        return {"lr": self.lr * (self.lr_end / self.lr) ** progress}
