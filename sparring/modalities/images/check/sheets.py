"""Sheets of example images, duplicates and outliers, next to a report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.data.items import Items
from sparring.data.sources import Unreadable
from sparring.modalities.images.decoding import loaded, squared
from sparring.modalities.images.depth import Levels
from sparring.sheets import sheet

MAX_ROWS = 8  # images of each class on the sheet
MAX_COLUMNS = 12  # classes on the sheet
MAX_IMAGES = 64  # on any other sheet
COLUMNS = 8  # of such a sheet
MAX_SIDE = 64  # pixels of an image on a sheet


def draw_sheets(
    items: Items,
    good: Sequence[int],
    groups: Sequence[Sequence[int]],
    outliers: Sequence[int],
    size: int,
    channels: int,
    levels: Levels = Levels(),
) -> dict[str, Image.Image]:
    """Sheets by file name; those without images are left out.

    Args:
        good: indices of the images that can be read.
        groups: indices of images that look the same.
        outliers: indices of images that differ from the others.
        size: pixels of a side to which training scales the images.
        levels: the values that become black and white.
    """
    pairs = [i for group in groups for i in group[:2]]
    layouts = {
        "sheet.png": _examples(items, np.array(good)),
        "duplicates.png": (pairs[:MAX_IMAGES], COLUMNS),
        "outliers.png": (list(outliers)[:MAX_IMAGES], COLUMNS),
    }
    side = min(MAX_SIDE, size)
    return {
        name: sheet(_squares(items, indices, side, channels, levels), columns)
        for name, (indices, columns) in layouts.items()
        if indices
    }


def _examples(items: Items, good: NDArray[np.int64]) -> tuple[list[int], int]:
    """Indices of images of each class, in a column each, or of some of all images; and the number of columns."""
    if items.labels is None:
        return good[np.linspace(0, len(good) - 1, min(MAX_IMAGES, len(good))).astype(int)].tolist(), COLUMNS
    members = [good[items.labels[good] == k] for k in range(len(items.classes))]
    members = [m for m in members if len(m)][:MAX_COLUMNS]
    rows = min(MAX_ROWS, *(len(m) for m in members))
    spread = [m[np.linspace(0, len(m) - 1, rows).astype(int)] for m in members]
    return np.stack(spread, 1).ravel().tolist(), len(members)


def _squares(items: Items, indices: Sequence[int], side: int, channels: int, levels: Levels) -> NDArray[np.uint8]:
    """Some images as (n, side, side, channels)."""
    if isinstance(items.items, np.ndarray):
        images = {i: Image.fromarray(items.items[i].squeeze()) for i in indices}
    else:
        read = {i: loaded(content, levels, side) for i, content in items.items.contents(set(indices))}
        images = {i: image for i, image in read.items() if not isinstance(image, Unreadable)}
    return np.stack([squared(images[i], side, channels).transpose(1, 2, 0) for i in indices])
