"""Plots of models that make points or series."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.tensors import VALUES
from sparring.explore.neighbours import neighbours
from sparring.explore.scene import Drawing, Scene, Sheet
from sparring.modalities import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WAYS = 6
STEPS = 41  # of a way between points
PATHS = 9  # of a way between series
NEAREST = 3
CLOUD = 2000  # points that are drawn behind
SHOWN = 6  # channels, at most
INK, GREY = "#1f4fbf", "#9aa3b2"


def drawings(scene: Scene) -> dict[str, Drawing]:
    """What can be drawn of a model of points or series, by name."""
    if isinstance(scene.model.modality, Series):
        return {"interpolation": lambda: _path_ways(scene), "neighbours": lambda: _path_neighbours(scene)}
    return {"interpolation": lambda: _point_ways(scene), "neighbours": lambda: _point_neighbours(scene)}


def _ways(scene: Scene, many: int, steps: int) -> Tensor:
    """What is made on ways between samples, (many, steps, *shape)."""
    space, label = scene.space, scene.labels(many)
    points = space.draw(2 * many, scene.seed, None if label is None else label.repeat(2))
    rows = space.between(points[:many], points[many:], steps).transpose(0, 1).flatten(0, 1)
    made = space.pictures(rows, None if label is None else label.repeat_interleave(steps))
    return made.view(many, steps, *made.shape[1:])


def _point_ways(scene: Scene) -> list[Sheet]:
    made = _ways(scene, WAYS, STEPS)
    figure, axis = _plane(scene)
    for way in made:
        axis.plot(*_placed(scene, way).T, ".-", linewidth=0.8, markersize=4)
    shows = "ways between samples, each in one colour, in steps of one length in the latents; other samples in grey"
    return [Sheet("interpolation", shows, _picture(figure))]


def _point_neighbours(scene: Scene) -> list[Sheet]:
    made = scene.space.pictures(scene.points(4 * WAYS), scene.labels(4 * WAYS))
    distances, found = neighbours(made, scene.trained(), NEAREST)
    figure, axis = _plane(scene)
    for sample, nearest in zip(_placed(scene, made), found, strict=True):
        for place in _placed(scene, nearest):
            axis.plot(*np.stack([sample, place]).T, color=INK, linewidth=0.7)
        axis.plot(*_placed(scene, nearest).T, "o", color=INK, markersize=3, markerfacecolor="white")
    axis.plot(*_placed(scene, made).T, "o", color=INK, markersize=4)
    shows = (
        f"samples (full) and the {found.shape[1]} {scene.trained_in_words('points')} nearest to each (hollow); other "
        f"samples in grey. The nearest lies {float(distances[:, 0].median()):.3f} deviations away, at the median"
    )
    return [Sheet("neighbours", shows, _picture(figure))]


def _plane(scene: Scene) -> tuple[Figure, Axes]:
    """A plot with some samples in grey."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axis = figure.subplots()
    cloud = scene.space.pictures(scene.points(CLOUD), scene.labels(CLOUD))
    axis.plot(*_placed(scene, cloud).T, ".", color=GREY, markersize=1.5)
    names = scene.model.modality.columns  # type: ignore[attr-defined]
    axis.set_xlabel(names[0])
    axis.set_ylabel(names[1] if len(names) > 1 else "")
    return figure, axis


def _placed(scene: Scene, made: Tensor) -> NDArray[np.float64]:
    """The first two coordinates of points (n, d), in the user's units; 0 for a second that there is not."""
    points = np.asarray(scene.model.modality.decode({VALUES: made}), np.float64)[:, :2]
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def _path_ways(scene: Scene) -> list[Sheet]:
    from matplotlib import colormaps

    made = _ways(scene, 1, PATHS)[0]
    colours = colormaps["viridis"](np.linspace(0, 0.9, PATHS))
    figure, axes = _channels(scene, 1)
    for path, colour in zip(_paths(scene, made), colours, strict=True):
        for axis, values in zip(axes[0], path.T, strict=False):
            axis.plot(values, color=colour, linewidth=1)
    shows = "from one sample, dark, to another, bright, for each channel"
    return [Sheet("interpolation", shows, _picture(figure))]


def _path_neighbours(scene: Scene) -> list[Sheet]:
    rows = min(4, WAYS)
    made = scene.space.pictures(scene.points(rows), scene.labels(rows))
    distances, found = neighbours(made, scene.trained(), NEAREST)
    figure, axes = _channels(scene, rows)
    for sample, nearest, line in zip(_paths(scene, made), found, axes, strict=True):
        for kind, paths, width in ((GREY, _paths(scene, nearest), 0.9), (INK, sample[None], 1.4)):
            for path in paths:
                for axis, values in zip(line, path.T, strict=False):
                    axis.plot(values, color=kind, linewidth=width)
    told = ", ".join(f"{d:.2f}" for d in distances[:, 0].tolist())
    shows = (
        f"a sample for each row in blue, and the {found.shape[1]} {scene.trained_in_words('windows')} nearest to it in "
        "grey, all from the same last value. Root mean squares of the differences from the nearest, in deviations of "
        f"what is learnt: {told}"
    )
    return [Sheet("neighbours", shows, _picture(figure))]


def _paths(scene: Scene, made: Tensor) -> NDArray[np.float64]:
    """(n, steps, channels), in the user's units."""
    return np.asarray(scene.model.modality.decode({VALUES: made}), np.float64)


def _channels(scene: Scene, rows: int) -> tuple[Figure, Any]:
    """A figure with a plot for each channel, in rows."""
    from matplotlib.figure import Figure

    modality = scene.model.modality
    assert isinstance(modality, Series)
    names = modality.names[:SHOWN]
    figure = Figure(figsize=(max(5.0, 3.2 * len(names)), 2.2 * rows), dpi=100, layout="constrained")
    axes = figure.subplots(rows, len(names), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, fontsize=9, loc="left")
    return figure, axes


def _picture(figure: Figure) -> Image.Image:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return Image.open(file).convert("RGB")
