"""Recipes that are trained with differential privacy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.private import PrivateGAN
from sparring.privacy import Guarantee, planned
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.adversarial import Adversarial
from sparring.recipes.base.fields import Count, Positive, Within, optimization
from sparring.recipes.base.recipe import M, Phase

Delta = Annotated[float, Within(0, 0.1, exclusive=True)]


@dataclass(frozen=True)
class PrivateRecipe(AdamFields, Adversarial[M]):
    """D learns from real samples by private gradients, G from D alone."""

    private: ClassVar[bool] = True

    privacy: Positive = optimization(8.0, "epsilon of differential privacy, per record; lower protects more")
    delta: Delta = optimization(1e-5, "probability with which epsilon may not hold; less than one by the records")
    clip: Positive = optimization(1.0, "largest norm of the gradient of one sample; larger ones are scaled down to it")
    G_batch: Count = optimization(512, "samples of each move of G")
    D_steps: Count = optimization(1, "moves of D per move of G, each with a batch and a noise of its own")

    def game_class(self, modality: M) -> Callable[..., GAN]:
        return partial(PrivateGAN, batch=self.G_batch, conditions=partial(self.draw_conditions, modality))

    def draw_conditions(self, modality: M, n: int, device: torch.device) -> Tensor | None:
        """Conditions that G's samples are generated for. They must not depend on the data without noise."""
        return modality.draw_conditions(n, device)

    def phases(self, game: GAN) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, turns=self.D_steps))]

    def measured(self, modality: M) -> dict[str, Any]:  # noqa: ARG002
        """What fitting the modality has cost, as arguments of `planned`."""
        return {}

    def guarantee(self, modality: M, records: int, steps: int) -> Guarantee:
        return planned(
            self.privacy, self.delta, self.clip, self.batch, steps * self.D_steps, records, modality.words.item,
            **self.measured(modality),
        )  # fmt: skip

    def check(self) -> None:
        super().check()
        if self.noise:
            raise InputError(f"noise={self.noise} was given; a private run has noise in D's gradient instead")
