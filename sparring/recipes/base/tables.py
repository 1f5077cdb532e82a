"""Recipes for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.games.prior import Gumbel, Normal, Prior
from sparring.modalities import Table
from sparring.recipes.base.adversarial import Adversarial
from sparring.recipes.base.fields import Count, Named, Words, data, optimization


@dataclass(frozen=True)
class TableRecipe(Adversarial[Table]):
    """How the columns of a table are read. G's input ends in Gumbel noise for its categorical outputs."""

    takes: ClassVar[tuple[Table, ...]] = (Table(),)

    columns: Named = data(
        (),
        "column types that are not detected automatically: NAME=KIND,NAME=KIND; NAME=omit leaves it out",
        sets="told",
    )
    constraints: Words = data(
        (), "rules that every row satisfies: A<B, PRICE>0, unique(ID), together(CITY|COUNTRY)", sets="constraints"
    )
    passes: Count = optimization(300, "maximum passes over the data, unless the steps are given")
    target: str = data(
        "", "column that classifiers predict in the evaluation; empty: the last one that is suitable", sets="target"
    )

    def max_steps(self, items: int) -> int:
        return max(1, self.passes * items // self.batch)

    def prior(self, modality: Table) -> Prior:
        return Prior(Normal("z", self.z), Gumbel("choices", sum(modality.widths)))
