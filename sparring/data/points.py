"""Points: arrays and tables of floats."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.errors import InputError


def points(path: Path, array: NDArray[np.generic], columns: tuple[str, ...] = ()) -> Items:
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
    return Items(path.stem, "points", rows, columns=columns)


def read_csv(path: Path) -> Items:
    """The rows of a `.csv` of numbers, with or without a header.

    Raises:
        InputError: where it holds anything else.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    header = bool(rows) and not all(map(_is_number, rows[0]))
    columns = tuple(rows.pop(0)) if header else ()
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, 1 + header):
        if len(row) != width:
            raise InputError(f"{path}, line {number}: {len(row)} values where the lines before have {width}")
        wrong = next((value for value in row if not _is_number(value)), None)
        if wrong is not None:
            raise InputError(f"{path}, line {number}: {wrong!r} is not a number")
    return points(path, np.array(rows, dtype=np.float32).reshape(-1, width), columns)


def _is_number(text: str) -> bool:
    try:
        return not math.isinf(float(text))
    except ValueError:
        return False
