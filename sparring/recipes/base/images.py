"""Recipes for images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sparring.data.split import HELD_EVERY
from sparring.errors import InputError
from sparring.games.views import Ada, Augment, Changed, View
from sparring.layers.augment import diffaugment, translate_and_cutout
from sparring.modalities import Images
from sparring.recipes.base.fields import Levels, Pixels, Share, Words, data
from sparring.recipes.base.recipe import M, Recipe


@dataclass(frozen=True)
class ImageRecipe(Recipe[M]):
    """How images are read, and how they are augmented if there are few. Takes images alone, unless overridden."""

    takes: ClassVar[tuple[Any, ...]] = (Images(),)
    path_fields: ClassVar[tuple[str, ...]] = ("table",)

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
    table: str = data(
        "", "table that names the images: samples are asked for by its columns; empty: one beside them, if any",
        sets="table",
    )  # fmt: skip
    columns: Words = data(
        (), "columns of the table that samples can be asked for, NAME or NAME=KIND; empty: all that are suitable",
        sets="wanted",
    )  # fmt: skip
    augment: Augment = data("none", "random transformations of D's input, for small data sets", only=Images)

    def modality(self, kind: str) -> M:
        modality = super().modality(kind)
        if self.labels is None or not isinstance(modality, Images):
            return modality
        if self.table or self.columns:
            given = f"table={self.table}" if self.table else f"columns={','.join(self.columns)}"
            raise InputError(f"labels={str(self.labels).lower()} and {given} exclude each other; remove one of them")
        return replace(modality, use_table=False)

    def views(self, modality: M) -> list[View]:
        augmentation: dict[Augment, Callable[[], list[View]]] = {
            "none": list,
            "places": lambda: [Changed(translate_and_cutout)],
            "diffaugment": lambda: [Changed(diffaugment)],
            "ada": lambda: [Ada(self.batch, HELD_EVERY)],
        }
        return super().views(modality) + augmentation[self.augment]()
