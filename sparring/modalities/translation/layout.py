"""Pictures of two kinds, as the folders around them name them: what is given, and what is to be made of it."""

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

GIVEN = ("A", "input", "inputs", "image", "images", "source", "low", "lr", "lq", "degraded", "noisy", "photo")
WANTED = (
    "B", "target", "targets", "label", "labels", "mask", "masks", "truth", "gt", "high", "hr", "hq", "clean",
    "output",
)  # fmt: skip
TOLD = 3  # files that are named where some have no partner


@dataclass(frozen=True)
class Domains:
    """Pictures of two kinds.

    Attributes:
        names: of the two folders.
        first, second: which of the pictures lie in each, by index, in the order of their names.
        keys: of each picture of all, what it is called within its folder.
        held: which of all pictures the folders set apart for testing, (n,), or None.
        known: whether the folders' names say which is given.
        joined: whether they are called trainA and trainB, as sets without pairs are.
    """

    names: tuple[str, str]
    first: tuple[int, ...]
    second: tuple[int, ...]
    keys: tuple[str, ...]
    held: NDArray[np.bool_] | None
    known: bool
    joined: bool

    def pairs(self) -> list[tuple[int, int]]:
        """Which pictures belong together: those of one name.

        Raises:
            InputError: where one has no partner.
        """
        partners = {self.keys[i]: i for i in self.second}
        alone = [self.keys[i] for i in self.first if self.keys[i] not in partners]
        here, there = self.names
        if not alone:
            mine = {self.keys[i] for i in self.first}
            alone, here, there = [key for key in partners if key not in mine], there, here
        if alone:
            named = ", ".join(alone[:TOLD]) + (", ..." if len(alone) > TOLD else "")
            count = f"{len(alone)} picture{'s' if len(alone) > 1 else ''}"
            raise InputError(
                f"{count} of {here}/ without a partner of that name in {there}/: {named}; add or remove them"
            )
        return [(i, partners[self.keys[i]]) for i in self.first]

    def check(self) -> None:
        """
        Raises:
            InputError: where one kind has fewer than two pictures to train on.
        """
        for kind, mine in zip(self.names, (self.first, self.second), strict=True):
            left = len(mine) if self.held is None else int((~self.held[list(mine)]).sum())
            if left < 2:
                raise InputError(f"{kind}/ has {left} picture{'' if left == 1 else 's'} to train on; give at least two")

    @property
    def matched(self) -> bool:
        """Whether each picture of one folder has a partner in the other."""
        return sorted(self.keys[i] for i in self.first) == sorted(self.keys[i] for i in self.second)


def domains(names: Sequence[str]) -> Domains | None:
    """The two kinds of pictures that folders name: `A/` and `B/`, `image/` and `label/`, `trainA/` and `trainB/` (with
    `testA/` and `testB/`), any two; None where there are not two.

    Args:
        names: of files, with slashes.
    """
    folders = strip_shared([name.replace("\\", "/").split("/")[:-1] for name in names])
    placed = [_placed(parts) for parts in folders]
    found = [p for p in placed if p is not None]
    if len(found) < len(placed):
        return None
    kinds = sorted({domain for _, domain, _ in found})
    if len(kinds) != 2:
        return None
    first, second, known = _ordered(kinds)
    held = np.array([part in HELD for part, _, _ in found])
    keys = []
    for name, (part, _, rest) in zip(names, found, strict=True):
        stem = PurePosixPath(printable(name).replace("\\", "/")).stem
        keys.append("/".join([*([part] if held.any() else []), *rest, stem]))
    one, other = (tuple(i for i, (_, kind, _) in enumerate(found) if kind == wanted) for wanted in (first, second))
    joined = all(_joined(parts) for parts in folders)
    return Domains((first, second), one, other, tuple(keys), held if held.any() else None, known, joined)


def layout_of(items: Items) -> Domains | None:
    """The two domains of a data set of image files; None if it has other items or other folders."""
    return domains(items.items.names) if isinstance(items.items, FileSource) else None


def _placed(parts: Sequence[str]) -> tuple[str, str, list[str]] | None:
    """Of a file's folders: train or test, the kind, and what is within that."""
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
    """Train or test and A or B in one word, of a file's folders."""
    words = "|".join(sorted(TRAIN | HELD, key=len, reverse=True))
    return re.fullmatch(rf"({words})[_-]?([ab])", parts[0].lower()) if parts else None


def _ordered(kinds: Sequence[str]) -> tuple[str, str, bool]:
    """What is given, what is wanted, and whether that is known."""
    one, other = kinds
    if _in(other, GIVEN) or _in(one, WANTED):
        one, other = other, one
    return one, other, _in(one, GIVEN) and _in(other, WANTED)


def _in(name: str, known: Sequence[str]) -> bool:
    return name in known or (len(name) > 1 and name.lower() in known)


def missing_domain(items: Items) -> str:
    """The one of trainA and trainB that is missing; "" if both or neither are there."""
    if not isinstance(items.items, FileSource):
        return ""
    parts = {part for name in items.items.names for part in name.replace("\\", "/").split("/")[:-1]}
    kinds = {joined[2].upper() for part in parts if (joined := _joined([part])) and joined[1] in TRAIN}
    return f"train{'B' if kinds == {'A'} else 'A'}" if len(kinds) == 1 else ""
