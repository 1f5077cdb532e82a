"""Texts as a file has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts of a file or a folder, in its order. Equal only to itself, so that results about it can be kept.

    Attributes:
        texts: as they are written; "" for a missing one.
        unit: what the file consists of: "line", "row" or "file".
        numbers: of the lines, rows or files, counted from 1, (n,).
        column: name of the column of text; "" where there are no columns.
        others: further columns of text by name.
        continuous: True if the lines are parts of one long text.
        glue: what stands between the parts of a long text.
    """

    texts: tuple[str, ...]
    unit: str
    numbers: NDArray[np.int64]
    column: str = ""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    continuous: bool = False
    glue: str = "\n"

    def __len__(self) -> int:
        return len(self.texts)

    def place(self, i: int) -> str:
        """Where a text is in the file, such as "line 3"."""
        return f"{self.unit} {self.numbers[i]}"

    def only(self, rows: Sequence[int]) -> Texts:
        """Some of the texts, in the same order."""
        return Texts(
            tuple(self.texts[i] for i in rows),
            self.unit,
            self.numbers[np.array(rows, np.int64)],
            self.column,
            {name: tuple(texts[i] for i in rows) for name, texts in self.others.items()},
            self.continuous,
            self.glue,
        )
