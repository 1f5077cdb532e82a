"""Recipes for sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities import Audio
from sparring.recipes.base.fields import Natural, Weight, data
from sparring.recipes.base.recipe import Recipe


@dataclass(frozen=True)
class AudioRecipe(Recipe[Audio]):
    """How sounds are read."""

    takes: ClassVar[tuple[Audio, ...]] = (Audio(),)

    rate: Natural = data(0, "samples per second; 0: the rate of most of the sounds", sets="rate")
    seconds: Weight = data(0.0, "length of a sound; 0: covers most of the sounds", sets="seconds")
    channels: Natural = data(0, "1 for mono, 2 for stereo; 0: chosen from the data", sets="channels")
