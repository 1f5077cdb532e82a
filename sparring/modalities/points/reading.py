"""Points: arrays of floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError


def points(path: Path, array: NDArray[np.generic]) -> Items:
    """Rows of numbers as points.

    Raises:
        InputError: where they are not rows, or not all finite.
    """
    if array.ndim != 2 or array.shape[0] < 2 or array.shape[1] < 1:
        raise InputError(f"{path} holds an array of shape {array.shape}; points are rows: (count, dimensions)")
    rows = array.astype(np.float32)
    bad = ~np.isfinite(rows)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(f"{path} holds {rows[row, column]} in row {row + 1}, column {column + 1}; clean it first")
    return Items(path.stem, "points", rows)
