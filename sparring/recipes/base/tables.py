"""Recipes for tables: how columns are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sparring.games.prior import Gumbel, Normal, Prior
from sparring.modalities import Modality, Table
from sparring.recipes.base.adversarial import Adversarial
from sparring.recipes.base.fields import Count, Words, data, optimisation


@dataclass(frozen=True)
class OfTables(Adversarial):
    """What recipes for tables have beside: what a user tells of the columns."""

    takes: ClassVar[tuple[Modality, ...]] = (Table(),)

    columns: Words = data((), "kinds of columns that are not to be found out: NAME=KIND,NAME=KIND")
    constraints: Words = data((), "what holds in every row: A<B, PRICE>0, unique(ID), together(CITY|COUNTRY)")
    passes: Count = optimisation(300, "over the data, at most, unless steps are given")
    target: str = data("", "the column that classifiers are to tell, for judging; empty for the last that they can")

    def longest(self, items: int) -> int:
        return max(1, self.passes * items // self.batch)

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        assert isinstance(modality, Table)
        return replace(modality, told=self.columns, target=self.target, constraints=self.constraints)

    def prior(self, modality: Modality) -> Prior:
        assert isinstance(modality, Table)
        return Prior(Normal("z", self.z), Gumbel("choices", sum(modality.widths)))
