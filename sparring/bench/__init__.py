"""The published tables that we hold ourselves to: each one command, its rows beside the published ones."""

from sparring.bench.codes import MNIST_CODES
from sparring.bench.mixtures import GRID, RING
from sparring.bench.pictures import FASHION_MNIST, MNIST
from sparring.bench.stacked import STACKED_MNIST
from sparring.bench.table import Table

TABLES: dict[str, Table] = {
    table.name: table for table in (RING, GRID, STACKED_MNIST, MNIST, FASHION_MNIST, MNIST_CODES)
}

__all__ = ["TABLES", "Table"]
