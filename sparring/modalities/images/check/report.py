"""The result of checking a set of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.modalities.images.check.clean import write_clean
from sparring.modalities.images.check.sheets import draw_sheets
from sparring.modalities.images.depth import Levels
from sparring.modalities.survey import Survey, listed

FEW = 100  # images, below which samples are close to them
ELONGATED = 1.5  # ratio of the sides from which an image is far from square
COLORS = {1: "gray", 3: "color", 4: "color and alpha"}


@dataclass(frozen=True, kw_only=True)
class ImageSurvey(Survey):
    """What a set of images contains.

    Attributes:
        names: of all files in order, including those that cannot be read.
        sizes: number of images of each (width, height).
        modes, formats: number of files of each mode and format.
        channels: number of images that need 1, 3 or 4 channels.
        misnamed: name and format of each file whose suffix belongs to another format.
        animated: names of files with several frames, of which the first is used.
        groups: indices of images that look the same, by group.
        outliers: index of each image that differs from the others, and how.
        size: height and width to which training scales the images by default.
        levels: the values that training reads as black and white by default.
        notes: what training decides about the images, one line each.
    """

    names: tuple[str, ...]
    sizes: Counter[tuple[int, int]]
    modes: Counter[str]
    formats: Counter[str]
    channels: Counter[int]
    misnamed: tuple[tuple[str, str], ...]
    animated: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    outliers: Mapping[int, str]
    size: int
    levels: Levels
    notes: tuple[str, ...]

    @property
    def duplicates(self) -> int:
        """Number of images beyond the first of each group that looks the same."""
        return sum(len(group) - 1 for group in self.groups)

    def rows(self) -> list[tuple[str, str]]:
        count, classes, unreadable = super().rows()
        groups = [" = ".join(self.names[i] for i in group[:3]) for group in self.groups]
        return [
            count,
            ("sizes", _listed_sizes(self.sizes)),
            ("modes", _listed_counts(self.modes)),
            ("formats", _listed_counts(self.formats)),
            ("channels", _listed_counts({COLORS[k]: n for k, n in self.channels.most_common()})),
            classes,
            unreadable,
            ("misnamed", listed([f"{name} is {format}" for name, format in self.misnamed])),
            ("animated", listed(self.animated)),
            ("duplicates", f"{self.duplicates:,}: {listed(groups).partition(': ')[2]}" if groups else "none"),
            ("outliers", listed([f"{self.names[i]} ({how})" for i, how in self.outliers.items()])),
        ]

    def advice(self) -> list[str]:
        advice = list(self.notes)
        if self.unreadable or self.duplicates:
            advice.append(
                "training skips unreadable files; --write OUT saves a copy without them and without duplicates"
            )
        advice += super().advice()
        if self.count < FEW:
            advice.append(f"{self.count} images are few: samples will be close to them; train with augmentation")
        sides = [min(size) for size in self.sizes.elements()]
        if sides and np.median(sides) >= 2 * self.size:
            advice.append(
                f"images are scaled to {self.size} x {self.size}; size={2 * self.size} shows more and takes longer"
            )
        elongated = sum(n for size, n in self.sizes.items() if max(size) > ELONGATED * min(size))
        if elongated:
            share = elongated / max(1, self.count)
            advice.append(f"{share:.0%} are far from square, and lose what is outside of their central square")
        if sides and min(sides) < self.size:
            smaller = sum(side < self.size for side in sides)
            advice.append(f"{smaller:,} are smaller than {self.size} pixels and are enlarged")
        return advice

    def content(self) -> dict[str, Any]:
        return {
            **super().content(),
            "size": self.size,
            "sizes": {f"{w}x{h}": n for (w, h), n in self.sizes.most_common()},
            "modes": dict(self.modes),
            "formats": dict(self.formats),
            "channels": {str(k): n for k, n in self.channels.items()},
            "misnamed": dict(self.misnamed),
            "animated": list(self.animated),
            "duplicates": [[self.names[i] for i in group] for group in self.groups],
            "outliers": {self.names[i]: how for i, how in self.outliers.items()},
        }

    @property
    def good(self) -> list[int]:
        """Indices of the images that can be read."""
        unreadable = {name for name, _ in self.unreadable}
        return [i for i, name in enumerate(self.names) if name not in unreadable]

    def sheets(self) -> Mapping[str, Image.Image]:
        channels = max(self.channels)
        return draw_sheets(self.items, self.good, self.groups, tuple(self.outliers), self.size, channels, self.levels)

    def write_clean(self, out: Path) -> int:
        duplicates = {i for group in self.groups for i in group[1:]}
        return write_clean(self.items, [i for i in self.good if i not in duplicates], dict(self.misnamed), out)


def _listed_sizes(sizes: Counter[tuple[int, int]]) -> str:
    if len(sizes) <= 3:
        return ", ".join(f"{w} x {h} ({n:,})" for (w, h), n in sizes.most_common())
    widths, heights = (np.array([size[axis] for size in sizes.elements()]) for axis in (0, 1))
    low, high = f"{widths.min()} x {heights.min()}", f"{widths.max()} x {heights.max()}"
    return f"{len(sizes):,} different, from {low} to {high}, median {np.median(widths):.0f} x {np.median(heights):.0f}"


def _listed_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({n:,})" for name, n in sorted(counts.items(), key=lambda pair: -pair[1]))
