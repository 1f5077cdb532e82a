"""Vectors of real numbers: mixtures of Gaussians, embeddings, any array of floats."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.exploring import Drawing, Explored
from sparring.modalities.points import exploring, mixtures, reading
from sparring.modalities.samples import as_lists, labeled_arrays, write_arrays, write_png

PLOT_SIDE = 480  # pixels
COLOR = (31, 79, 191)


@dataclass(frozen=True)
class Points(Modality):
    """Points (n, dimensions); networks receive each coordinate with mean 0 and standard deviation 1.

    Attributes:
        mean, deviation: mean and standard deviation of each coordinate in the data.
        low, high: smallest and largest value of each coordinate in the data, for plots.
        columns: names of the coordinates, for CSV.
    """

    kind: ClassVar[str] = "points"
    words: ClassVar[Words] = Words("point", "points", compared="coordinates")

    features_name: ClassVar[str] = "coordinates"
    preview_items: ClassVar[int] = 2500
    walk_grid: ClassVar[tuple[int, int]] = (6, 41)
    neighbor_grid: ClassVar[tuple[int, int]] = (24, 3)
    film_items: ClassVar[int] = 600
    files: ClassVar[str] = "an .npy array (count, dimensions) of points"
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = mixtures.SETS

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.deviation):
            raise InputError(f"points with {len(self.mean)} means and {len(self.deviation)} deviations are damaged")

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        return Recommendation("r3gan_mlp", "points: fully connected nets with R3GAN's loss, which covers every mode")

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.mean),)

    def fit(self, items: Items) -> Self:
        points = np.asarray(items.items, np.float64)
        deviation = points.std(0)
        return replace(
            self,
            mean=_floats(points.mean(0)),
            deviation=_floats(np.where(deviation > 0, deviation, 1.0)),
            low=_floats(points.min(0)),
            high=_floats(points.max(0)),
            columns=items.columns or tuple(f"x{i}" for i in range(points.shape[1])),
        )

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:  # noqa: ARG002
        """Standardized points, float (n, dimensions)."""
        points = (np.asarray(items.items, np.float64) - self.mean) / self.deviation
        return Encoded({VALUES: torch.from_numpy(points.astype(np.float32))}, np.arange(len(points)))

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded

    def unscale(self, values: Tensor) -> Tensor:
        return values

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.generic]:  # noqa: ARG002
        points = samples[VALUES].cpu().double().numpy() * self.deviation + self.mean
        decoded: NDArray[np.generic] = points.astype(np.float32)
        return decoded

    def features(self, samples: Tensors) -> Tensor:
        return samples[VALUES]

    def preview(self, samples: Samples) -> Image.Image:
        """A plot of the first two coordinates, with the range of the data and a margin of a tenth."""
        points = np.asarray(samples.items, np.float64)[:, :2]
        if points.shape[1] == 1:
            points = np.concatenate([points, np.zeros_like(points)], 1)
        low, high = (np.array((*bounds, 0.0)[:2]) for bounds in (self.low, self.high))
        spread = np.where(high > low, high - low, 1.0)
        places = ((points - low) / spread * (5 / 6) + 1 / 12) * PLOT_SIDE
        page = Image.new("RGB", (PLOT_SIDE, PLOT_SIDE), "white")
        draw = ImageDraw.Draw(page)
        for x, y in places[np.isfinite(places).all(1)]:
            draw.ellipse((x - 1.5, PLOT_SIDE - y - 1.5, x + 1.5, PLOT_SIDE - y + 1.5), fill=COLOR)
        return page

    def draw_walks(self, walks: Tensors, steps: int, explored: Explored) -> Drawing:
        return exploring.draw_walks(self, walks, steps, explored)

    def draw_neighbors(self, explored: Explored) -> Drawing:
        return exploring.draw_neighbors(self, explored)

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer(".csv", "text/csv", self._write_csv),
            Writer(".npz", "application/x-npz", lambda s, path: write_arrays(path, **labeled_arrays(s, "points"))),
            Writer(".png", "image/png", write_png),
            Writer(".npy", "", _write_npy),
        )

    def describe_values(self) -> str:
        return "in standard deviations from the mean"

    def as_json(self, samples: Samples) -> dict[str, Any]:
        return {"columns": list(self.columns), "points": as_lists(samples.items)}

    def _write_csv(self, samples: Samples, path: Path) -> None:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(samples.items.tolist())


def _floats(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _write_npy(samples: Samples, path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, samples.items, allow_pickle=False)
