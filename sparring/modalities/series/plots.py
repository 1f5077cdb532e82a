"""A sheet of paths."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHOWN = 12  # channels, at most
LINES = 8  # paths of each that are drawn one by one
ACROSS = 3
INK, BAND = "#1f4fbf", "#1f4fbf"


def drawn(names: Sequence[str], paths: NDArray[np.generic], last: NDArray[np.float64]) -> Image.Image:
    """A plot for each channel: some paths, and between which values nine of ten, and half of them, lie at each step.

    Args:
        names: of the channels.
        paths: (n, steps, channels).
        last: values before the first step, drawn as a line, (channels,).
    """
    from matplotlib.figure import Figure

    shown = min(len(names), SHOWN)
    across = min(shown, ACROSS)
    rows = -(-shown // across)
    figure = Figure(figsize=(4.2 * across, 2.4 * rows), dpi=80, layout="constrained")
    axes = figure.subplots(rows, across, squeeze=False).ravel()
    steps = np.arange(1, paths.shape[1] + 1)
    for axis in axes[shown:]:
        axis.remove()
    for i, axis in enumerate(axes[:shown]):
        x = np.asarray(paths[:, :, i], np.float64)
        for low, high, alpha in ((5, 95, 0.12), (25, 75, 0.2)):
            if len(x) > 2:
                axis.fill_between(
                    steps, *np.nanpercentile(x, (low, high), axis=0), color=BAND, alpha=alpha, linewidth=0
                )
        axis.plot(steps, x[:LINES].T, color=INK, linewidth=0.8, alpha=0.8)
        axis.axhline(last[i], color="#6b7280", linestyle=":", linewidth=0.8)
        axis.set_title(names[i], fontsize=9, loc="left")
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.25)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file).convert("RGB")
