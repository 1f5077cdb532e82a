"""Columns of a table: their fitted types, which encode values as codes and scalars and decode them."""

from sparring.modalities.tables.columns.fitting import fit_column
from sparring.modalities.tables.columns.kinds import (
    KINDS,
    Category,
    Column,
    Identifier,
    Mixture,
    Number,
    frequencies,
    typed,
)
from sparring.modalities.tables.columns.values import MISSING, numbers, shown

__all__ = [
    "KINDS",
    "MISSING",
    "Category",
    "Column",
    "Identifier",
    "Mixture",
    "Number",
    "fit_column",
    "frequencies",
    "numbers",
    "shown",
    "typed",
]
