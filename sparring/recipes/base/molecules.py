"""Recipes for molecules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.modalities.molecules import Molecules
from sparring.modalities.molecules.cleaning import Charges, Marks, Salts
from sparring.recipes.base.fields import Count, Words, data
from sparring.recipes.base.recipe import Recipe


@dataclass(frozen=True)
class MoleculeRecipe(Recipe[Molecules]):
    """How molecules are read."""

    takes: ClassVar[tuple[Molecules, ...]] = (Molecules(),)

    smiles: str = data("", "column of SMILES in a table; empty: found by content", sets="column")
    salts: Salts = data(
        "largest", "of several fragments: learn the largest, keep all, or drop the molecule", sets="salts"
    )
    charges: Charges = data("keep", "charged atoms: keep, neutralize, or drop the molecule", sets="charges")
    isotopes: Marks = data("keep", "isotopes: keep, remove, or drop the molecule", sets="isotopes")
    stereo: Marks = data("keep", "stereo marks: keep, remove, or drop the molecule", sets="stereo")
    longest: Count = data(100, "tokens of the longest molecule that is learned", sets="longest")
    conditions: Words = data(
        ("logP", "MW", "TPSA"),
        "descriptors and columns that samples can be asked for",
        sets="described",
    )
