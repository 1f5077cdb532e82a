"""All tables of the bench, by name."""

from __future__ import annotations

from sparring.bench.codes import MNIST_CODES
from sparring.bench.few_images import GROCERY
from sparring.bench.image_tables import FASHION_MNIST, MNIST
from sparring.bench.mixtures import GRID, RING
from sparring.bench.stacked import STACKED_MNIST
from sparring.bench.table import Table

_ALL = (RING, GRID, STACKED_MNIST, MNIST, FASHION_MNIST, MNIST_CODES, GROCERY)
TABLES: dict[str, Table] = {table.name: table for table in _ALL}
