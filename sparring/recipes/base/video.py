"""Recipes for video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from sparring.errors import InputError
from sparring.games.views import Changed, View
from sparring.layers.augment import translate_and_cutout
from sparring.modalities import Video
from sparring.recipes.base.fields import Natural, Pixels, Weight, data
from sparring.recipes.base.recipe import Recipe


@dataclass(frozen=True)
class VideoRecipe(Recipe[Video]):
    """How films are read."""

    takes: ClassVar[tuple[Video, ...]] = (Video(),)

    size: Pixels = data(0, "height and width of the frames in pixels; 0: chosen from the data", sets="size")
    frames: Natural = data(0, "frames of a clip; 0: chosen from the data", sets="frames")
    rate: Weight = data(0.0, "frames per second, to which all films are brought; 0: chosen from the data", sets="rate")
    alpha: bool | None = data(
        None, "learn transparency as a fourth channel; none: if at least half of the films are transparent",
        sets="alpha",
    )  # fmt: skip
    loop: bool | None = data(
        None, "clips are loops, whose first frame follows the last; none: if nearly all films are", sets="loop"
    )
    augment: Literal["none", "places"] = data(
        "none", "translations and cutouts of D's input, alike in all frames of a clip, for small data sets"
    )

    def views(self, modality: Video) -> list[View]:
        return super().views(modality) + ([Changed(places_of_clips)] if self.augment == "places" else [])

    def check(self) -> None:
        super().check()
        if self.frames == 1:
            raise InputError("frames=1 is no clip; give frames=2 or more, or train on images")


def places_of_clips(clips: Tensor) -> Tensor:
    """`translate_and_cutout` of clips (n, c, t, h, w), alike in all frames of a clip."""
    return translate_and_cutout(clips.flatten(1, 2)).view_as(clips)
