"""What a survey has found, as data and as advice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

FEW = 100
UNEVEN = 10


@dataclass(frozen=True)
class Report:
    """What is in a set of pictures.

    Attributes:
        name, data: short, and as given.
        count: pictures that can be read.
        names: of all files, in order, those that cannot be read too.
        sizes: (width, height) -> how many.
        modes, formats: of the files -> how many.
        channels: that pictures need -> how many.
        classes: how many each has, by name; empty where there are no labels.
        held: pictures that the set itself holds out.
        unreadable: (name, why) of each.
        misnamed: (name, format) of those whose suffix is another's.
        moving: names of those with several frames, of which the first is used.
        groups: indices of pictures that look the same, by group.
        unlike: index of each picture unlike the others -> in what.
        size: that training brings pictures to, unless told.
    """

    name: str
    data: str
    count: int
    names: tuple[str, ...]
    sizes: Counter[tuple[int, int]]
    modes: Counter[str]
    formats: Counter[str]
    channels: Counter[int]
    classes: dict[str, int]
    held: int
    unreadable: tuple[tuple[str, str], ...]
    misnamed: tuple[tuple[str, str], ...]
    moving: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    unlike: dict[int, str]
    size: int

    @property
    def copies(self) -> int:
        """Pictures beyond the first of each group that looks the same."""
        return sum(len(group) - 1 for group in self.groups)

    def advice(self) -> list[str]:
        """What to do before training, most urgent first."""
        said = []
        if self.unreadable or self.copies:
            said.append(
                "training skips what cannot be read; --write OUT saves a copy without that and without duplicates"
            )
        if self.classes and min(self.classes.values()) < 2:
            few = min(self.classes, key=lambda name: self.classes[name])
            said.append(f"class {few!r} has {self.classes[few]}: labels are not used until it has more or is gone")
        elif self.classes and max(self.classes.values()) > UNEVEN * min(self.classes.values()):
            said.append("classes are uneven: samples of the small ones will be less various")
        if self.count < FEW:
            said.append(f"{self.count} pictures are few: expect samples close to them, and train with augmentation")
        sides = [min(size) for size in self.sizes.elements()]
        if sides and np.median(sides) >= 2 * self.size:
            said.append(
                f"pictures are brought to {self.size} x {self.size}; size={2 * self.size} shows more and takes longer"
            )
        if any(max(size) > 1.5 * min(size) for size in self.sizes):
            share = sum(n for size, n in self.sizes.items() if max(size) > 1.5 * min(size)) / max(1, self.count)
            said.append(f"{share:.0%} are far from square, and lose what is outside the square about their middle")
        if sides and min(sides) < self.size:
            said.append(
                f"{sum(side < self.size for side in sides):,} are smaller than {self.size} pixels and get enlarged"
            )
        return said

    def content(self) -> dict[str, object]:
        """All of it as JSON has it."""
        return {
            "data": self.data,
            "count": self.count,
            "size": self.size,
            "sizes": {f"{w}x{h}": n for (w, h), n in self.sizes.most_common()},
            "modes": dict(self.modes),
            "formats": dict(self.formats),
            "channels": {str(k): n for k, n in self.channels.items()},
            "classes": self.classes,
            "held_out": self.held,
            "unreadable": dict(self.unreadable),
            "misnamed": dict(self.misnamed),
            "moving": list(self.moving),
            "duplicates": [[self.names[i] for i in group] for group in self.groups],
            "outliers": {self.names[i]: why for i, why in self.unlike.items()},
            "advice": self.advice(),
        }
