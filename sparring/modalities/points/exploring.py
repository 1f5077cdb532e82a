"""Walks and neighbors of points, in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sparring.data import tensors
from sparring.data.tensors import Tensors
from sparring.modalities import exploring
from sparring.modalities.exploring import Drawing, Explored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sparring.modalities.points.points import Points

BACKGROUND = 2000  # samples that are drawn in gray
INK, GRAY = "#1f4fbf", "#9aa3b2"


def draw_walks(modality: Points, walks: Tensors, steps: int, explored: Explored) -> Drawing:
    """A line for each walk."""
    figure, axis = _plane(modality, explored)
    for start in range(0, tensors.length(walks), steps):
        walk = _coordinates(modality, tensors.take(walks, slice(start, start + steps)))
        axis.plot(*walk.T, ".-", linewidth=0.8, markersize=4)
    return Drawing("each walk in one color, other samples in gray", exploring.render(figure))


def draw_neighbors(modality: Points, explored: Explored) -> Drawing:
    """A line from each sample to each of its nearest training points."""
    found = exploring.neighbors(modality, explored, *modality.neighbor_grid)
    figure, axis = _plane(modality, explored)
    for i, sample in enumerate(_coordinates(modality, found.samples)):
        near = _coordinates(modality, {name: part[i] for name, part in found.items.items()})
        for item in near:
            axis.plot(*np.stack([sample, item]).T, color=INK, linewidth=0.7)
        axis.plot(*near.T, "o", color=INK, markersize=3, markerfacecolor="white")
        axis.plot(*sample, "o", color=INK, markersize=4)
    caption = (
        f"samples (full) and the {found.k} nearest {explored.training_words} to each (hollow); other samples in gray. "
        f"The median distance to the nearest one is {float(found.distances[:, 0].median()):.2g} standard deviations"
    )
    return Drawing(caption + found.floor, exploring.render(figure))


def _plane(modality: Points, explored: Explored) -> tuple[Figure, Axes]:
    """A plot with some samples in gray."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axis = figure.subplots()
    axis.plot(*_coordinates(modality, explored.samples(BACKGROUND)).T, ".", color=GRAY, markersize=1.5)
    axis.set_xlabel(modality.columns[0])
    axis.set_ylabel(modality.columns[1] if len(modality.columns) > 1 else "")
    return figure, axis


def _coordinates(modality: Points, samples: Tensors) -> NDArray[np.float64]:
    """The first two coordinates of points in the user's units, (n, 2); 0 for a second that does not exist."""
    points = np.asarray(modality.decode(samples), np.float64)[:, :2]
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
