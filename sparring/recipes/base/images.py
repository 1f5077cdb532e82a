"""Recipes for images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sparring.data.split import HELD_EVERY
from sparring.games.views import Ada, Augment, Changed, View
from sparring.layers.augment import diffaugment, translate_and_cutout
from sparring.modalities import Images
from sparring.recipes.base.fields import Levels, Pixels, Share, data
from sparring.recipes.base.recipe import M, Recipe


@dataclass(frozen=True)
class ImageRecipe(Recipe[M]):
    """How images are read, and how they are augmented if there are few. Takes images alone, unless overridden."""

    takes: ClassVar[tuple[Any, ...]] = (Images(),)

    size: Pixels = data(0, "height and width of the images in pixels; 0: chosen from the data", sets="size")
    flip: bool = data(False, "mirror images at random", sets="flip")
    crop: Share = data(0.0, "margin for random crops: stored images are larger than `size` by this share", sets="crop")
    alpha: bool | None = data(
        None, "learn transparency as a fourth channel; none: if at least half of the images are transparent",
        sets="alpha",
    )  # fmt: skip
    levels: Levels = data(
        (), "values of black and white in images of more than eight bits (levels=0,4095); empty: chosen from the data",
        sets="levels",
    )  # fmt: skip
    augment: Augment = data("none", "random transformations of D's input, for small data sets", only=Images)

    def views(self, modality: M) -> list[View]:
        augmentation: dict[Augment, Callable[[], list[View]]] = {
            "none": list,
            "places": lambda: [Changed(translate_and_cutout)],
            "diffaugment": lambda: [Changed(diffaugment)],
            "ada": lambda: [Ada(self.batch, HELD_EVERY)],
        }
        return super().views(modality) + augmentation[self.augment]()
