"""Tables of numbers, categories, dates and text."""

from sparring.modalities.tables.table import Table

__all__ = ["Table"]

KINDS = (Table,)
