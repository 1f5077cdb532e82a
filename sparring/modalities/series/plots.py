"""A sheet of paths, with a plot for each channel."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_CHANNELS = 12
MAX_LINES = 8  # paths that are drawn as lines
PLOTS_PER_ROW = 3
BANDS = ((5, 95, 0.12), (25, 75, 0.2))  # percentiles and opacity
COLOR, LAST_COLOR = "#1f4fbf", "#6b7280"


def draw_paths(names: Sequence[str], paths: NDArray[np.generic], last: NDArray[np.float64]) -> Image.Image:
    """A plot for each channel: some paths, and the bands that hold 90% and 50% of all paths at each step.

    Args:
        names: of the channels.
        paths: (n, steps, channels).
        last: values before the first step, drawn as a dotted line, (channels,).
    """
    from matplotlib.figure import Figure

    shown = min(len(names), MAX_CHANNELS)
    columns = min(shown, PLOTS_PER_ROW)
    rows = -(-shown // columns)
    figure = Figure(figsize=(4.2 * columns, 2.4 * rows), dpi=80, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    steps = np.arange(1, paths.shape[1] + 1)
    for axis in axes[shown:]:
        axis.remove()
    for i, axis in enumerate(axes[:shown]):
        x = np.asarray(paths[:, :, i], np.float64)
        for low, high, alpha in BANDS if len(x) > 2 else ():
            edges = np.nanpercentile(x, (low, high), axis=0)
            axis.fill_between(steps, *edges, color=COLOR, alpha=alpha, linewidth=0)
        axis.plot(steps, x[:MAX_LINES].T, color=COLOR, linewidth=0.8, alpha=0.8)
        axis.axhline(last[i], color=LAST_COLOR, linestyle=":", linewidth=0.8)
        axis.set_title(names[i], fontsize=9, loc="left")
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.25)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file).convert("RGB")
