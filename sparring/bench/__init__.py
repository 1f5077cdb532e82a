"""The published tables that we hold ourselves to: each one command, its rows beside the published ones."""

from sparring.bench.table import Table
from sparring.bench.text_tables import TABLES

__all__ = ["TABLES", "Table"]
