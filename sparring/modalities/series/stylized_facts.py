"""A picture of what is known of returns: of history, of what came after it, and of samples."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sparring.metrics import sequences
from sparring.metrics.sequences import Floats
from sparring.modalities.series.judge import SeriesJudge

SHOWN = 4  # channels, at most
LAGS = 60
BINS = 61
WIDEST = 8.0  # deviations of history that are drawn
HISTORY, LATER, MADE = "#9ca3af", "#111827", "#1f4fbf"


def facts(against: SeriesJudge, made: Floats) -> Image.Image:
    """For each of the first channels how returns are distributed, how their sizes go together, and their leverage.

    Args:
        made: walks (paths, steps, channels).
    """
    from matplotlib.figure import Figure

    names = against.modality.names[:SHOWN]
    figure = Figure(figsize=(9.6, 2.3 * len(names)), dpi=80, layout="constrained")
    axes = figure.subplots(len(names), 3, squeeze=False)
    kinds = (("history", against.train, HISTORY), ("after it", against.held, LATER), ("samples", made, MADE))
    lags = max(1, min(LAGS, against.length // 4))
    for i, name in enumerate(names):
        wide = WIDEST * max(1e-12, float(sequences.returns(against.train)[..., i].std()))
        edges = np.linspace(-wide, wide, BINS + 1)
        for label, walks, colour in kinds:
            x = sequences.returns(walks)[..., i : i + 1]
            shares = np.histogram(np.clip(x, -wide, wide), edges)[0] / x.size
            axes[i, 0].stairs(np.maximum(shares, 1e-7), edges, color=colour, label=label)
            steps = np.arange(1, lags + 1)
            axes[i, 1].plot(steps, sequences.autocorrelation(np.abs(x), lags)[:, 0], color=colour, linewidth=1.2)
            axes[i, 2].plot(steps, sequences.leverage(x, lags)[:, 0], color=colour, linewidth=1.2)
        axes[i, 0].set_yscale("log")
        axes[i, 0].set_ylim(bottom=1e-5)
        titles = (f"{name}: shares of returns", "sizes go together, by lag", "leverage, by lag")
        for axis, title in zip(axes[i], titles, strict=True):
            axis.set_title(title, fontsize=9, loc="left")
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.25)
    axes[0, 0].legend(fontsize=7, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file).convert("RGB")
