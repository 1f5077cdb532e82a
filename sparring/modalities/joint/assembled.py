"""Samples of several parts in the user's units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Assembled:
    """Items whose parts belong together: the first of one part to the first of every other.

    Attributes:
        parts: by name, each as its own kind of data decodes it: an array (n, ...) or a data frame of n rows.
    """

    parts: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def __getitem__(self, chosen: Any) -> Assembled:
        """Some of the items, chosen as of an array."""
        rows = np.atleast_1d(np.arange(len(self))[chosen])
        return Assembled({name: _rows(part, rows) for name, part in self.parts.items()})

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """All values as one array of objects, (n, parts), by which items are compared."""
        columns = [_listed(part) for part in self.parts.values()]
        found = np.empty((len(self), len(columns)), object)
        for i, column in enumerate(columns):
            for row, value in enumerate(column):
                found[row, i] = value
        return found


def _rows(part: Any, rows: Any) -> Any:
    return part.iloc[rows].reset_index(drop=True) if hasattr(part, "iloc") else part[rows]


def _listed(part: Any) -> Sequence[Any]:
    """Each item as a value that can be compared."""
    return (
        [repr(row) for row in part.to_dict("records")]
        if hasattr(part, "iloc")
        else [repr(np.asarray(x).tolist()) for x in part]
    )
