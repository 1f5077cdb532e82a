"""Columns of a table: their fitted types, which encode values as codes and scalars and decode them."""

from sparring.modalities.tables.columns.asked import measure_of, typed_number
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
from sparring.modalities.tables.columns.recognition import file_context
from sparring.modalities.tables.columns.values import MISSING, as_python, is_text, shown

__all__ = [
    "KINDS",
    "MISSING",
    "Category",
    "Column",
    "Identifier",
    "Mixture",
    "Number",
    "as_python",
    "file_context",
    "fit_column",
    "frequencies",
    "is_text",
    "measure_of",
    "shown",
    "typed",
    "typed_number",
]
