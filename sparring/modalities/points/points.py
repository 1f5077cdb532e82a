"""Vectors of real numbers: toy mixtures, embeddings, any array of floats."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.files import beside
from sparring.modalities.base import Encoded, Modality, Samples, arrays, unseen

PLOT = 480  # pixels of a plot's side
INK = (31, 79, 191)


@dataclass(frozen=True)
class Points(Modality):
    """Points of `dimensions` coordinates; nets see each coordinate with mean 0 and deviation 1.

    Attributes:
        mean, deviation: of each coordinate in the data.
        low, high: the smallest and largest coordinates of the data, for plots.
        columns: names of the coordinates, for CSV.
    """

    kind: ClassVar[str] = "points"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".npy", ".npz", ".png")

    features_name: ClassVar[str] = "coordinates"
    shown: ClassVar[int] = 2500

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    columns: tuple[str, ...] = ()

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

    def encode(self, items: Items, progress: Progress = unseen) -> Encoded:  # noqa: ARG002
        """Standardised points, float (n, dimensions)."""
        points = (np.asarray(items.items, np.float64) - self.mean) / self.deviation
        return Encoded(torch.from_numpy(points.astype(np.float32)), np.arange(len(points)))

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded

    def unscale(self, samples: Tensor) -> Tensor:
        return samples

    def decode(self, samples: Tensor, start: int = 0) -> NDArray[np.generic]:  # noqa: ARG002
        points = samples.cpu().double().numpy() * self.deviation + self.mean
        made: NDArray[np.generic] = points.astype(np.float32)
        return made

    def features(self, samples: Tensor) -> Tensor:
        return samples

    def preview(self, samples: Samples) -> Image.Image:
        """A plot of the first two coordinates, framed by the data's range and a tenth more."""
        points = np.asarray(samples.items, np.float64)[:, :2]
        if points.shape[1] == 1:
            points = np.concatenate([points, np.zeros_like(points)], 1)
        low, high = (np.array((*bounds, 0.0)[:2]) for bounds in (self.low, self.high))
        spread = np.where(high > low, high - low, 1.0)
        places = ((points - low) / spread * (5 / 6) + 1 / 12) * PLOT
        page = Image.new("RGB", (PLOT, PLOT), "white")
        draw = ImageDraw.Draw(page)
        for x, y in places[np.isfinite(places).all(1)]:
            draw.ellipse((x - 1.5, PLOT - y - 1.5, x + 1.5, PLOT - y + 1.5), fill=INK)
        return page

    def write(self, samples: Samples, path: Path) -> None:
        with beside(path) as part:
            if path.suffix == ".csv":
                self._write_csv(samples, part)
            elif path.suffix == ".png":
                samples.preview().save(part, "PNG")
            else:
                with part.open("wb") as file:
                    if path.suffix == ".npy":
                        np.save(file, samples.items, allow_pickle=False)
                    else:
                        np.savez_compressed(file, allow_pickle=False, **arrays(samples, "points"))

    def _write_csv(self, samples: Samples, path: Path) -> None:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(samples.items.tolist())


def _floats(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
