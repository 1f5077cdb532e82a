"""Columns of a table: what is known of each, and how its values become codes and scalars and are made again."""

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
from sparring.modalities.tables.columns.learning import learnt
from sparring.modalities.tables.columns.values import MISSING, numbers, shown

__all__ = [
    "KINDS",
    "MISSING",
    "Category",
    "Column",
    "Identifier",
    "Mixture",
    "Number",
    "frequencies",
    "learnt",
    "numbers",
    "shown",
    "typed",
]
