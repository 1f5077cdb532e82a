"""A sheet of columns: how often each value comes, in the data and in samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sparring.modalities.tables.columns import Column, frequencies

ACROSS = 4  # columns side by side
WIDE, HIGH, GAP = 220, 120, 24  # pixels of a plot, and between two
SHOWN = 24  # bars of a plot, at most
REAL, MADE, TEXT = (190, 190, 190), (31, 79, 191), (40, 40, 40)


def bars(columns: Sequence[Column], codes: NDArray[np.int64]) -> Image.Image:
    """A plot for each column: grey for the data, blue for samples.

    Args:
        codes: of the samples, (n, columns).
    """
    rows = -(-len(columns) // ACROSS)
    page = Image.new("RGB", (ACROSS * (WIDE + GAP) + GAP, rows * (HIGH + 2 * GAP) + GAP), "white")
    draw = ImageDraw.Draw(page)
    for i, column in enumerate(columns):
        left, top = GAP + i % ACROSS * (WIDE + GAP), GAP + i // ACROSS * (HIGH + 2 * GAP)
        draw.text((left, top - 4), column.name[:32], fill=TEXT)
        real = np.array(frequencies(column), float)
        made = np.bincount(codes[:, i], minlength=len(real)).astype(float)
        _plot(draw, (left, top + 12), real[:SHOWN] / real.sum(), made[:SHOWN] / max(1, made.sum()))
    return page


def _plot(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], real: NDArray[np.float64], made: NDArray[np.float64]
) -> None:
    left, top = place
    highest = max(real.max(), made.max(), 1e-9)
    each = WIDE / len(real)
    bottom = top + HIGH - 12
    for i, (a, b) in enumerate(zip(real, made, strict=True)):
        begin = left + i * each
        for part, share, ink in ((0, a, REAL), (1, b, MADE)):
            x = begin + part * each * 0.45
            height = share / highest * (HIGH - 16)
            draw.rectangle((x, bottom - height, x + max(1.0, each * 0.42), bottom), fill=ink)
    draw.line((left, bottom, left + WIDE, bottom), fill=TEXT)
