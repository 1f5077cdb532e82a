"""A sheet with the distribution of each column, in the data and in samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sparring.modalities.tables.columns import Column, frequencies

PLOTS_PER_ROW = 4
WIDTH, HEIGHT, GAP = 220, 120, 24  # pixels of a plot, and between plots
MAX_BARS = 24
MAX_PLOTS = 60  # of a wide table: its first columns
MAX_NAME = 32  # characters
REAL_COLOR, SAMPLE_COLOR, TEXT_COLOR = (190, 190, 190), (31, 79, 191), (40, 40, 40)


def draw_columns(columns: Sequence[Column], codes: NDArray[np.int64]) -> Image.Image:
    """A bar chart for each of the first columns: gray for the data, blue for samples.

    Args:
        codes: of the samples, (n, columns).
    """
    columns = columns[:MAX_PLOTS]
    rows = -(-len(columns) // PLOTS_PER_ROW)
    page = Image.new("RGB", (PLOTS_PER_ROW * (WIDTH + GAP) + GAP, rows * (HEIGHT + 2 * GAP) + GAP), "white")
    draw = ImageDraw.Draw(page)
    for i, column in enumerate(columns):
        left, top = GAP + i % PLOTS_PER_ROW * (WIDTH + GAP), GAP + i // PLOTS_PER_ROW * (HEIGHT + 2 * GAP)
        draw.text((left, top - 4), column.name[:MAX_NAME], fill=TEXT_COLOR)
        real = np.array(frequencies(column), float)
        sampled = np.bincount(codes[:, i], minlength=len(real)).astype(float)
        _plot(draw, (left, top + 12), real[:MAX_BARS] / real.sum(), sampled[:MAX_BARS] / max(1, sampled.sum()))
    return page


def _plot(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], real: NDArray[np.float64], sampled: NDArray[np.float64]
) -> None:
    left, top = place
    highest = max(real.max(), sampled.max(), 1e-9)
    step = WIDTH / len(real)
    bottom = top + HEIGHT - 12
    for i, pair in enumerate(zip(real, sampled, strict=True)):
        for side, (share, color) in enumerate(zip(pair, (REAL_COLOR, SAMPLE_COLOR), strict=True)):
            x = left + (i + side * 0.45) * step
            height = share / highest * (HEIGHT - 16)
            draw.rectangle((x, bottom - height, x + max(1.0, step * 0.42), bottom), fill=color)
    draw.line((left, bottom, left + WIDTH, bottom), fill=TEXT_COLOR)
