"""Recipes for pictures: how they are read, and how a few are made to last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sparring.data.split import HELD_EVERY
from sparring.errors import InputError
from sparring.games.views import Ada, Augment, Changed, View
from sparring.layers.augment import diffaugment, places
from sparring.modalities import Images, Modality, Points
from sparring.recipes.base.fields import Pixels, Share, data
from sparring.recipes.base.recipe import Recipe

POINTS_AND_IMAGES: tuple[Modality, ...] = (Points(), Images())


@dataclass(frozen=True)
class OfPictures(Recipe):
    """What recipes for pictures have beside: how pictures are read, and how a few are made to last."""

    size: Pixels = data(0, "height and width of pictures; 0 for what the data suggest")
    flip: bool = data(False, "whether pictures are mirrored at random")
    crop: Share = data(0.0, "how much larger pictures are kept than the part that is cut out of them at random")
    augment: Augment = data("none", "random changes to all that D sees, for small sets")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        if isinstance(modality, Images):
            return replace(modality, size=self.size, flip=self.flip, crop=self.crop)
        given = [name for name in ("size", "flip", "crop") if getattr(self, name)]
        given += ["augment"] if self.augment != "none" else []
        if given:
            raise InputError(f"{given[0]}={getattr(self, given[0])} is for pictures, but the data are {kind}")
        return modality

    def views(self, modality: Modality) -> list[View]:
        added: dict[Augment, Callable[[], list[View]]] = {
            "none": list,
            "places": lambda: [Changed(places)],
            "diffaugment": lambda: [Changed(diffaugment)],
            "ada": lambda: [Ada(self.batch, HELD_EVERY)],
        }
        return super().views(modality) + added[self.augment]()
