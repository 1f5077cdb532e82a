"""A figure of the stylized facts of returns: of the training data, the held-out rows and the samples."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sparring.metrics import sequences
from sparring.metrics.sequences import Floats

if TYPE_CHECKING:
    from sparring.modalities.series.judge import SeriesJudge

MAX_CHANNELS = 4
MAX_LAGS = 60
BINS = 61
MAX_DEVIATIONS = 8.0  # range of the histograms, in standard deviations of the training data
TRAINING_COLOR, HELD_COLOR, SAMPLE_COLOR = "#9ca3af", "#111827", "#1f4fbf"


def draw_stylized_facts(judge: SeriesJudge, generated: Floats) -> Image.Image:
    """Distribution, autocorrelation of the absolute values, and leverage of returns, for each of the first channels.

    Args:
        generated: walks (paths, steps, channels).
    """
    from matplotlib.figure import Figure

    names = judge.modality.names[:MAX_CHANNELS]
    figure = Figure(figsize=(9.6, 2.3 * len(names)), dpi=80, layout="constrained")
    axes = figure.subplots(len(names), 3, squeeze=False)
    parts = (
        ("training data", judge.train, TRAINING_COLOR),
        ("held-out rows", judge.held, HELD_COLOR),
        ("samples", generated, SAMPLE_COLOR),
    )
    lags = max(1, min(MAX_LAGS, judge.length // 4))
    for i, name in enumerate(names):
        limit = MAX_DEVIATIONS * max(1e-12, float(sequences.returns(judge.train)[..., i].std()))
        edges = np.linspace(-limit, limit, BINS + 1)
        for label, walks, color in parts:
            x = sequences.returns(walks)[..., i : i + 1]
            shares = np.histogram(np.clip(x, -limit, limit), edges)[0] / x.size
            axes[i, 0].stairs(np.maximum(shares, 1e-7), edges, color=color, label=label)
            steps = np.arange(1, lags + 1)
            axes[i, 1].plot(steps, sequences.autocorrelation(np.abs(x), lags)[:, 0], color=color, linewidth=1.2)
            axes[i, 2].plot(steps, sequences.leverage(x, lags)[:, 0], color=color, linewidth=1.2)
        axes[i, 0].set_yscale("log")
        axes[i, 0].set_ylim(bottom=1e-5)
        titles = (f"{name}: distribution of returns", "autocorrelation of |returns|, by lag", "leverage, by lag")
        for axis, title in zip(axes[i], titles, strict=True):
            axis.set_title(title, fontsize=9, loc="left")
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.25)
    axes[0, 0].legend(fontsize=7, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file).convert("RGB")
