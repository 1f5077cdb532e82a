"""Recipes for text."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Literal

from sparring.modalities.text import Text
from sparring.recipes.base.fields import Count, data, optimization
from sparring.recipes.base.recipe import Recipe


@dataclass(frozen=True)
class TextRecipe(Recipe[Text]):
    """How texts are read."""

    takes: ClassVar[tuple[Text, ...]] = (Text(),)

    column: str = data("", "column of text in a table; empty: found by content", sets="column")
    cut: Literal["auto", "lines", "windows"] = data(
        "auto", "a sample is a line (a row, a file) or a window of one long text; auto: as the data suggest", sets="cut"
    )
    unit: Literal["auto", "characters", "words", "subwords"] = data(
        "auto", "tokens; auto: chosen by the data", sets="unit"
    )
    size: Count = data(8000, "different tokens that are learned, at most", sets="size")
    longest: Count = data(64, "tokens of a text; longer ones are cut", sets="longest")
    window: Count = data(128, "tokens of a window of a long text", sets="window")
    passes: Count = optimization(40, "passes through the training texts, at most, unless the run is bounded otherwise")

    def max_steps(self, items: int) -> int:
        return max(1, ceil(self.passes * items / self.batch))
