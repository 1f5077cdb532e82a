"""Points: arrays of floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sparring.data.items import Items
from sparring.data.npy import open_npy
from sparring.errors import InputError


def read(path: Path) -> Items | None:
    """The points in an `.npy`, a row each; None for other files.

    Raises:
        InputError: if it holds no rows of finite numbers.
    """
    if path.suffix.lower() != ".npy" or path.is_dir():
        return None
    array = open_npy(path)
    if array.ndim > 2:
        return None
    if array.ndim < 2 or array.shape[0] < 2 or array.shape[1] < 1:
        raise InputError(f"{path} holds an array of shape {array.shape}; points are rows: (count, dimensions)")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{path} is an array of {array.dtype}; give numbers, real ones")
    with np.errstate(over="ignore"):
        rows = array.astype(np.float32)
    bad = ~np.isfinite(rows)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        why = "clean it first" if not np.isfinite(array[row, column]) else "points are stored in single precision"
        raise InputError(f"{path} holds {array[row, column]} in row {row + 1}, column {column + 1}; {why}")
    return Items(path.stem, "points", rows)
