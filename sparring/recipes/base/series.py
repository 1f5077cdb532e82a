"""Recipes for time series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.errors import InputError
from sparring.modalities import Series
from sparring.recipes.base.fields import Count, Named, Words, data
from sparring.recipes.base.recipe import Recipe


@dataclass(frozen=True)
class SeriesRecipe(Recipe[Series]):
    """How the channels of a series are read.

    Attributes:
        min_window: fewest steps that D can take.
    """

    takes: ClassVar[tuple[Series, ...]] = (Series(),)

    min_window: ClassVar[int] = 4

    channels: Words = data((), "channels to train on, or columns to read from several files; empty: all", sets="wanted")
    kinds: Named = data(
        (),
        "representation of channels, NAME=KIND: returns, differences, ratio, highest, lowest, log, level",
        sets="told",
    )
    columns: Named = data(
        (), "how dates are written if it is not detected: NAME=PATTERN, such as Date=%d/%m/%Y", sets="patterns"
    )
    window: Count = data(127, "steps of the windows that D takes", sets="window")

    def check(self) -> None:
        super().check()
        if self.window < self.min_window:
            raise InputError(
                f"window={self.window} is too short for {self.name}; give window={self.min_window} or more"
            )
