"""What a language model reaches at several temperatures: quality against diversity. Caccia et al. 2018,
arXiv:1811.02549.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sparring.metrics.results import Number
from sparring.modalities.exploring import render

DIVERSITY, QUALITY = "self_bleu[4]", "frechet"


@dataclass(frozen=True)
class Front:
    """Points of temperatures, by rising self-BLEU.

    Attributes:
        temperatures, diversity, quality: of each point.
    """

    temperatures: tuple[float, ...]
    diversity: tuple[float, ...]
    quality: tuple[float, ...]

    @classmethod
    def of(cls, columns: Mapping[float, Sequence[Number]]) -> Front:
        """The front of the metrics of several temperatures."""
        points = sorted((*point(numbers), temperature) for temperature, numbers in columns.items())
        diversity, quality, temperatures = zip(*points, strict=True)
        return cls(temperatures, diversity, quality)

    def at(self, diversity: float) -> float:
        """The Fréchet distance of the front at a self-BLEU."""
        return float(np.interp(diversity, self.diversity, self.quality))

    def beaten_by(self, numbers: Sequence[Number]) -> bool:
        """True if samples are nearer to real texts than any temperature that is as diverse."""
        diversity, quality = point(numbers)
        return quality < self.at(diversity)

    def evidence(self, numbers: Sequence[Number]) -> str:
        """Where samples lie relative to the front, in words."""
        diversity, quality = point(numbers)
        return f"frechet {quality:.3g} at self_bleu[4] {diversity:.3g}; temperatures reach {self.at(diversity):.3g}"


def point(numbers: Sequence[Number]) -> tuple[float, float]:
    """Self-BLEU and Fréchet distance among metrics."""
    values = {number.name: number.value for number in numbers}
    return values[DIVERSITY], values[QUALITY]


def draw(front: Front, columns: Mapping[str, Sequence[Number]]) -> Image.Image:
    """The front of temperatures as a line, and the points of samples, real texts and trivial generators."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="tight")
    axes = figure.subplots()
    axes.plot(front.diversity, front.quality, "o-", color="#888888", label="temperatures")
    for x, y, temperature in zip(front.diversity, front.quality, front.temperatures, strict=True):
        axes.annotate(f"{temperature:g}", (x, y), textcoords="offset points", xytext=(4, 4), color="#888888")
    shown = {name: numbers for name, numbers in columns.items() if not name.startswith("T=")}
    for name, numbers in shown.items():
        x, y = point(numbers)
        axes.plot([x], [y], "*" if name == "samples" else "s", markersize=12 if name == "samples" else 6, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("self_bleu[4]: less diverse to the right")
    axes.set_ylabel("frechet: lower is better")
    axes.legend()
    return render(figure)
