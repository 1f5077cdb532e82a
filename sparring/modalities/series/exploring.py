"""Walks and neighbors of paths, a plot for each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparring.data import tensors
from sparring.data.tensors import Tensors
from sparring.modalities import exploring
from sparring.modalities.exploring import Drawing, Explored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sparring.modalities.series.series import Series

MAX_CHANNELS = 6  # channels that are drawn
INK, GRAY = "#1f4fbf", "#9aa3b2"


def draw_walks(modality: Series, walks: Tensors, steps: int) -> Drawing:
    """The paths of a walk over one another, a row of plots for each walk."""
    from matplotlib import colormaps

    colors = colormaps["viridis"](np.linspace(0, 0.9, steps))
    figure, axes = _channels(modality, tensors.length(walks) // steps)
    for i, path in enumerate(_paths(modality, walks)):
        for axis, values in zip(axes[i // steps], path.T, strict=False):
            axis.plot(values, color=colors[i % steps], linewidth=1)
    return Drawing(
        "from the first sample, dark, to the last, bright; a plot for each channel", exploring.render(figure)
    )


def draw_neighbors(modality: Series, explored: Explored) -> Drawing:
    """A sample over its nearest training windows, a row of plots for each sample."""
    found = exploring.neighbors(modality, explored, *modality.neighbor_grid)
    figure, axes = _channels(modality, tensors.length(found.samples))
    for i, (sample, row) in enumerate(zip(_paths(modality, found.samples), axes, strict=True)):
        near = _paths(modality, {name: part[i] for name, part in found.items.items()})
        for color, paths, width in ((GRAY, near, 0.9), (INK, sample[None], 1.4)):
            for path in paths:
                for axis, values in zip(row, path.T, strict=False):
                    axis.plot(values, color=color, linewidth=width)
    distances = ", ".join(f"{d:.2f}" for d in found.distances[:, 0].tolist())
    caption = (
        f"a sample in each row, in blue, and its {found.k} nearest {explored.training_words}, in gray, all drawn from "
        f"the same last value. Distances to the nearest one, {modality.distance_words}: {distances}"
    )
    return Drawing(caption + found.floor, exploring.render(figure))


def _paths(modality: Series, samples: Tensors) -> NDArray[np.float64]:
    """(n, steps, channels) in the user's units."""
    return np.asarray(modality.decode(samples), np.float64)


def _channels(modality: Series, rows: int) -> tuple[Figure, Any]:
    """A figure with a plot for each channel in every row."""
    from matplotlib.figure import Figure

    names = modality.names[:MAX_CHANNELS]
    figure = Figure(figsize=(max(5.0, 3.2 * len(names)), 2.2 * rows), dpi=100, layout="constrained")
    axes = figure.subplots(rows, len(names), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, fontsize=9, loc="left")
    return figure, axes
