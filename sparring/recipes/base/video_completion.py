"""Recipes that generate the frames of a clip that are not given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparring.errors import InputError
from sparring.games.completion import CompletionGAN, Squared, Variety
from sparring.games.terms import R1, R2
from sparring.losses.adversarial import relativistic
from sparring.modalities import VideoCompletion
from sparring.nets import completion
from sparring.nets.unet import default_depth
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.fields import (
    Count,
    Pixels,
    Positive,
    Share,
    Weight,
    data,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.recipes.base.recipe import Phase, Recipe
from sparring.recipes.base.translation import two_phases


@dataclass(frozen=True)
class VideoCompletionRecipe(AdamFields, Recipe[VideoCompletion]):
    """A net that generates frames from given ones and noise: trained first on the squared error alone, whose minimum is
    the mean of all futures, then against a D of whole clips. Recipes differ in which frames are given.
    """

    size: Pixels = data(0, "height and width of the frames in pixels; 0: chosen from the data", sets="size")
    rate: Weight = data(0.0, "frames per second, to which all films are brought; 0: chosen from the data", sets="rate")
    alpha: bool | None = data(
        None, "learn transparency as a fourth channel; none: if at least half of the films are transparent",
        sets="alpha",
    )  # fmt: skip
    made: Count = data(8, "frames that are generated", sets="made")
    z: Count = generator(8, "numbers of noise, which decide between the possible frames", sets="z")
    width: Count = generator(32, "channels at full resolution, doubled with each halving")
    depth: Count = generator(3, "number of halvings at most; fewer for small frames")
    D: Count = discriminator(32, "channels of D's first layer")
    gamma: Weight = losses(2.0, "weight of R1 and R2")
    lazy: Count = losses(8, "steps between those in which D minimizes R1 and R2, lazy times as strongly")
    variety: Weight = losses(1.0, "weight of the absolute error of the better of two generated clips")
    adversarial: Positive = losses(0.1, "weight of the adversarial loss; alone=1 trains without D")
    alone: Share = optimization(0.5, "share of the steps in which G is trained without D")

    def check(self) -> None:
        super().check()
        if self.noise:
            raise InputError(f"noise={self.noise:g} would hide from D what frames are generated from; remove noise=")

    def game(self, modality: VideoCompletion) -> CompletionGAN:
        depth = min(self.depth, default_depth(modality.size))
        G = completion.Generator(modality.known, modality.channels, self.z, self.width, depth)
        D = completion.Discriminator(modality.size, modality.channels, self.D, modality.frames)
        # The adversarial loss has weight 1 in the game, so the other weight is divided by its weight.
        penalties = [R1(self.gamma, self.lazy), R2(self.gamma, self.lazy)] if self.gamma else []
        variety = [Variety(G, self.variety / self.adversarial)] if self.variety else []
        return CompletionGAN(G, D, relativistic(), [*penalties, *variety], [Squared(1.0)] if self.alone else [])

    def schedule(self, progress: float) -> Mapping[str, object]:
        """Settings of the optimizers at a point of a phase in [0, 1]: the learning rate falls linearly in the second
        half.
        """
        return {"lr": self.lr * min(1.0, 2 * (1 - progress) + 1e-3)}

    def phases(self, game: Any) -> list[Phase]:
        return two_phases(game, self.adam(), self.alone, self.schedule)
