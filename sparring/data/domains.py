"""Items of two domains, as the folders around them name these: the given items and their targets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from sparring.data.classes import HELD, TRAIN, printable, strip_shared
from sparring.data.items import Items
from sparring.data.sources import FileSource
from sparring.errors import InputError

# Names of folders of given items, and of their targets.
GIVEN = ("A", "input", "inputs", "image", "images", "source", "low", "lr", "lq", "degraded", "noisy", "photo")
TARGET = (
    "B", "target", "targets", "label", "labels", "mask", "masks", "truth", "gt", "high", "hr", "hq", "clean",
    "output",
)  # fmt: skip
MAX_NAMED = 3  # files without a partner that an error lists


@dataclass(frozen=True)
class Domains:
    """Items of two domains, such as images.

    Attributes:
        names: of the two folders, that of the given items first.
        first, second: indices of the items in each, in the order of their names.
        keys: name of each item within its folder, for all items.
        held: True for each item that the folders hold out, (n,); None if they hold none out.
        known: True if the names of the folders say which items are given.
        joined: True if the folders are called trainA and trainB, as is usual for sets without pairs.
    """

    names: tuple[str, str]
    first: tuple[int, ...]
    second: tuple[int, ...]
    keys: tuple[str, ...]
    held: NDArray[np.bool_] | None
    known: bool
    joined: bool

    def pairs(self, word: str = "image") -> list[tuple[int, int]]:
        """Indices of the items that belong together because they have the same name.

        Args:
            word: what an item is called.

        Raises:
            InputError: if an item has no partner.
        """
        partners = {self.keys[i]: i for i in self.second}
        alone = [self.keys[i] for i in self.first if self.keys[i] not in partners]
        here, there = self.names
        if not alone:
            first = {self.keys[i] for i in self.first}
            alone, here, there = [key for key in partners if key not in first], there, here
        if alone:
            named = ", ".join(alone[:MAX_NAMED]) + (", ..." if len(alone) > MAX_NAMED else "")
            count = f"{len(alone)} {word}{'s' if len(alone) > 1 else ''}"
            raise InputError(
                f"{count} in {here}/ without a partner of the same name in {there}/: {named}; add or remove them"
            )
        return [(i, partners[self.keys[i]]) for i in self.first]

    def check(self, word: str = "image") -> None:
        """Check that there are enough items to train on.

        Args:
            word: what an item is called.

        Raises:
            InputError: if a domain has fewer than two.
        """
        for name, indices in zip(self.names, (self.first, self.second), strict=True):
            left = len(indices) if self.held is None else int((~self.held[list(indices)]).sum())
            if left < 2:
                raise InputError(f"{name}/ has {left} {word}{'' if left == 1 else 's'} to train on; give at least two")

    @property
    def matched(self) -> bool:
        """True if each item of one folder has a partner in the other."""
        return sorted(self.keys[i] for i in self.first) == sorted(self.keys[i] for i in self.second)


def layout_of(items: Items) -> Domains | None:
    """The two domains of a data set of files; None for other items and other folders."""
    return domains(items.items.names) if isinstance(items.items, FileSource) else None


def domains(names: Sequence[str]) -> Domains | None:
    """The two domains that folders define: `A/` and `B/`, `image/` and `label/`, `trainA/` and `trainB/` (with `testA/`
    and `testB/`), or any other two; None if there are not two.

    Args:
        names: of files, with slashes.
    """
    folders = strip_shared([name.replace("\\", "/").split("/")[:-1] for name in names])
    places = [_place(parts) for parts in folders]
    placed = [place for place in places if place is not None]
    if len(placed) < len(places):
        return None
    kinds = sorted({domain for _, domain, _ in placed})
    if len(kinds) != 2:
        return None
    first, second, known = _order(kinds)
    held = np.array([part in HELD for part, _, _ in placed])
    keys = []
    for name, (part, _, rest) in zip(names, placed, strict=True):
        stem = PurePosixPath(printable(name).replace("\\", "/")).stem
        keys.append("/".join([*([part] if held.any() else []), *rest, stem]))
    one, other = (tuple(i for i, (_, kind, _) in enumerate(placed) if kind == wanted) for wanted in (first, second))
    joined = all(_joined(parts) for parts in folders)
    return Domains((first, second), one, other, tuple(keys), held if held.any() else None, known, joined)


def _place(parts: Sequence[str]) -> tuple[str, str, list[str]] | None:
    """Train or test, the domain, and the folders within it, from the folders of a file."""
    if not parts:
        return None
    if joined := _joined(parts):
        return joined[1], joined[2].upper(), list(parts[1:])
    part = next((p.lower() for p in parts[:2] if p.lower() in TRAIN | HELD), "")
    rest = list(parts)
    if part:
        del rest[[p.lower() for p in rest].index(part)]
    return (part, printable(rest[0]), rest[1:]) if rest else None


def _joined(parts: Sequence[str]) -> re.Match[str] | None:
    """Train or test, and A or B, in one word, such as trainA."""
    words = "|".join(sorted(TRAIN | HELD, key=len, reverse=True))
    return re.fullmatch(rf"({words})[_-]?([ab])", parts[0].lower()) if parts else None


def _order(kinds: Sequence[str]) -> tuple[str, str, bool]:
    """The given domain, the target domain, and whether their names define that order."""
    one, other = kinds
    if _is_named(other, GIVEN) or _is_named(one, TARGET):
        one, other = other, one
    return one, other, _is_named(one, GIVEN) and _is_named(other, TARGET)


def _is_named(name: str, names: Sequence[str]) -> bool:
    return name in names or (len(name) > 1 and name.lower() in names)


def missing_domain(items: Items) -> str:
    """The one of trainA and trainB that is missing; "" if both or neither are there."""
    if not isinstance(items.items, FileSource):
        return ""
    parts = {part for name in items.items.names for part in name.replace("\\", "/").split("/")[:-1]}
    kinds = {joined[2].upper() for part in parts if (joined := _joined([part])) and joined[1] in TRAIN}
    return f"train{'B' if kinds == {'A'} else 'A'}" if len(kinds) == 1 else ""
