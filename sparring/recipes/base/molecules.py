"""Recipes for molecules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from sparring.modalities.molecules import Molecules
from sparring.modalities.molecules.cleaning import Charges, Marks, Salts
from sparring.recipes.base.fields import Count, Words, data
from sparring.recipes.base.recipe import Recipe

M = TypeVar("M", bound=Molecules)


@dataclass(frozen=True)
class PlainMolecules(Recipe[M]):
    """How molecules are read that are generated for no properties; `sample --where` draws until some satisfy them."""

    smiles: str = data("", "column of SMILES in a table; empty: found by content", sets="column")
    salts: Salts = data(
        "largest", "of several fragments: learn the largest, keep all, or drop the molecule", sets="salts"
    )
    charges: Charges = data("keep", "charged atoms: keep, neutralize, or drop the molecule", sets="charges")
    isotopes: Marks = data("keep", "isotopes: keep, remove, or drop the molecule", sets="isotopes")
    stereo: Marks = data("keep", "stereo marks: keep, remove, or drop the molecule", sets="stereo")
    longest: Count = data(100, "tokens of the longest molecule that is learned", sets="longest")


@dataclass(frozen=True)
class MoleculeRecipe(PlainMolecules[Molecules]):
    """How molecules are read that are generated for properties."""

    takes: ClassVar[tuple[Molecules, ...]] = (Molecules(),)

    conditions: Words = data(
        ("logP", "MW", "TPSA"),
        "descriptors and columns that samples can be asked for",
        sets="described",
    )
