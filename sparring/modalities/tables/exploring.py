"""Rows of tables next to their nearest training rows, and rows along a walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.data.tensors import Tensors
from sparring.errors import InputError
from sparring.metrics.tables import DEVIATIONS_PER_LEVEL, Rows
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.tables.files.parts import Parts, taken

if TYPE_CHECKING:
    from sparring.modalities.tables.table import Table


SEARCHED_ROWS = 50_000  # training rows, if not all fit into the memory


def draw_walks(modality: Table, walks: Tensors, steps: int) -> Drawing:
    """The rows of each walk below one another."""
    frame = modality.written(modality.decode(walks))
    names = [column.name for column in modality.learned]
    lines = [("", *names)]
    for i in range(len(frame)):
        lines.append(("sample" if i % steps == 0 else "", *(str(value) for value in frame[names].iloc[i])))
    return Drawing("one step in each row; a walk starts at each line marked sample", table=tuple(lines))


def draw_neighbors(modality: Table, explored: Explored) -> Drawing:
    """Each sample above its nearest training rows.

    Raises:
        InputError: if the data are missing, of another kind, or lack a column.
    """
    items, (n, k) = explored.items, modality.neighbor_grid
    if not modality.accepts(items):
        raise InputError(f"{items.name!r} holds {items.kind}, but the model generates rows; give such data")
    names = [column.name for column in modality.learned]
    if missing := [name for name in names if name not in items.items]:
        raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the model generates")
    rows = explored.split.train
    if isinstance(items.items, Parts) and len(rows) > SEARCHED_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, SEARCHED_ROWS, replace=False))
    frame = taken(items.items, rows)
    some = f"{len(rows):,} of the " if len(rows) < len(explored.split.train) else ""
    samples = explored.sample(n).items
    distances, nearest = nearest_rows(modality.rows(samples), modality.rows(frame), k)
    samples, frame = modality.written(samples), modality.written(frame)
    lines = [("", "distance", *names)]
    for i in range(len(samples)):
        lines.append(("sample", "", *(str(value) for value in samples[names].iloc[i])))
        for distance, j in zip(distances[i], nearest[i], strict=True):
            lines.append(("nearest", f"{distance:.3f}", *(str(value) for value in frame[names].iloc[j])))
    caption = (
        f"samples, and below each its nearest {some}{explored.training_words}. Distances are means over the columns: 1 "
        f"for different levels or for numbers at least {DEVIATIONS_PER_LEVEL:g} standard deviations apart. "
        f"{int((distances[:, 0] == 0).sum())} of {len(samples)} are copies"
    )
    return Drawing(caption, table=tuple(lines))


def nearest_rows(samples: Rows, train: Rows, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The nearest training rows of each row by Gower's distance (Gower 1971, doi:10.2307/2528823).

    A column counts 1 if levels differ, if one of two numbers is missing, or if they are at least two standard
    deviations apart; closer numbers count in proportion.

    Returns:
        Distances (n, k), as means over the columns, and indices (n, k).
    """
    deviation = np.nanstd(train.values, axis=0)
    scale = np.where(train.category | ~(deviation > 0), 1.0, DEVIATIONS_PER_LEVEL * deviation)
    results = []
    for row in samples.values:
        difference = np.abs(train.values - row)
        difference = np.where(train.category, difference > 0, np.minimum(difference / scale, 1.0))
        missing = np.isnan(train.values).astype(int) + np.isnan(row)  # how many of the two are missing: 0, 1 or 2
        difference = np.where(missing == 1, 1.0, np.where(missing == 2, 0.0, difference))
        distance = difference.mean(1)
        order = np.argsort(distance, kind="stable")[:k]
        results.append((distance[order], order))
    return np.stack([d for d, _ in results]), np.stack([i for _, i in results])
