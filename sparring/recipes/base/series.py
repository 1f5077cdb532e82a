"""Recipes for time series: which channels are learnt, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sparring.errors import InputError
from sparring.modalities import Modality, Series
from sparring.recipes.base.fields import Count, Words, data
from sparring.recipes.base.recipe import Recipe


@dataclass(frozen=True)
class OfSeries(Recipe):
    """What recipes for series have beside: what a user tells of the channels."""

    takes: ClassVar[tuple[Modality, ...]] = (Series(),)

    least: ClassVar[int] = 4  # steps that D has to be shown

    channels: Words = data((), "names of those that are learnt, or of columns of several files; empty for all")
    kinds: Words = data(
        (), "how channels are learnt: NAME=KIND, of returns, differences, ratio, highest, lowest, log, level"
    )
    window: Count = data(127, "steps that D is shown")

    def check(self) -> None:
        super().check()
        if self.window < self.least:
            raise InputError(f"window={self.window} is too short for {self.name}; give window={self.least} or more")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Series)
        return replace(modality, window=self.window, told=self.kinds, wanted=self.channels)
