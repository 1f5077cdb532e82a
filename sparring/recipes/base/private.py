"""Recipes that are trained with differential privacy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
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
    """D learns from real samples by private gradients, G from D alone.

    A subclass says what is published of the fitted modality, and what G's conditions are drawn from: either would
    otherwise be computed from the data without noise.
    """

    private: ClassVar[bool] = True

    privacy: Positive = optimization(8.0, "epsilon of differential privacy, per record; lower protects more")
    delta: Delta = optimization(1e-5, "probability with which epsilon may not hold; less than one by the records")
    clip: Positive = optimization(1.0, "largest norm of the gradient of one sample; larger ones are scaled down to it")
    G_batch: Count = optimization(512, "samples of each move of G")
    D_steps: Count = optimization(1, "moves of D per move of G, each with a batch and a noise of its own")

    def game_class(self, modality: M) -> Callable[..., GAN]:
        conditions = partial(self.draw_conditions, modality)
        return partial(PrivateGAN, batch=self.G_batch // self.shards, conditions=conditions)

    def modality(self, kind: str) -> M:
        return replace(super().modality(kind), stratify=False)  # the split would depend on the label of each record

    @abstractmethod
    def published(self, modality: M) -> M:
        """A fitted modality without whatever was computed from the data without noise."""

    @abstractmethod
    def draw_conditions(self, modality: M, n: int, device: torch.device) -> Tensor | None:
        """Conditions that G's samples are generated for. They must not depend on the data without noise."""

    def phases(self, game: GAN) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, turns=self.D_steps))]

    def measured(self, modality: M) -> dict[str, Any]:
        """What fitting the modality has cost, as arguments of `planned`.

        Raises:
            InputError: if it could have been fitted privately, and was not.
        """
        found = getattr(modality, "measured", ())
        if found is None:
            raise InputError(
                f"recipe {self.name!r} has fitted the {modality.words.items} without noise; let its method `fitted` "
                "return `fit_privately`"
            )
        return {"fitted": found.releases, "selection": found.selection} if found else {}

    def guarantee(self, modality: M, records: int, steps: int) -> Guarantee:
        return planned(
            self.privacy, self.delta, self.clip, self.batch, steps * self.D_steps, records, modality.words.item,
            **self.measured(modality),
        )  # fmt: skip

    def check(self) -> None:
        super().check()
        if self.noise:
            raise InputError(f"noise={self.noise} was given; a private run has noise in D's gradient instead")
        if self.G_batch % self.shards:
            raise InputError(f"G_batch={self.G_batch} must be a multiple of shards={self.shards}")
