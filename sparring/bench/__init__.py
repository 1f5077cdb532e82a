"""Published tables as benchmarks: one command each trains our rows and shows them next to the published ones."""

from sparring.bench.table import Table
from sparring.bench.tables import TABLES

__all__ = ["TABLES", "Table"]
