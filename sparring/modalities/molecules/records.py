"""Molecules as a file has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Records:
    """Molecules of a file, in its order. Equal only to itself, so that results about it can be kept.

    Attributes:
        smiles: as they are written; "" for a record that cannot be read.
        unit: what the file consists of: "line", "row" or "record".
        numbers: of the lines, rows or records, counted from 1, (n,).
        columns: numeric columns by name, (n,) each; NaN where a value is missing.
        column: name of the column of SMILES; "" where there are no columns.
        others: texts of further columns of a table that hold SMILES too, by name.
    """

    smiles: tuple[str, ...]
    unit: str
    numbers: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    column: str = ""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.smiles)

    def place(self, i: int) -> str:
        """Where a molecule is in the file, such as "line 3"."""
        return f"{self.unit} {self.numbers[i]}"

    def only(self, rows: Sequence[int]) -> Records:
        """Some of the molecules, in the same order."""
        index = np.array(rows, np.int64)
        return Records(
            tuple(self.smiles[i] for i in rows),
            self.unit,
            self.numbers[index],
            {name: values[index] for name, values in self.columns.items()},
            self.column,
            {name: tuple(texts[i] for i in rows) for name, texts in self.others.items()},
        )
