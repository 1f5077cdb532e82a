"""Paired pictures: what is given, and what is to be made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Recommendation
from sparring.modalities.translation.crops import cut_all, wholes
from sparring.modalities.translation.layout import Domains, layout_of
from sparring.modalities.translation.translation import (
    Translation,
    encoded,
    seen,
    several,
    split_of,
    unseen_by_training,
)

DARK = 16  # a grey level that some pixel of a set of pictures exceeds


@dataclass(frozen=True)
class Paired(Translation):
    """Pictures of two folders that are called alike, or the two halves of every file.

    Attributes:
        reverse: whether the first kind is made of the second.
        folders: what the two kinds are called, what is given first; none where they are halves of a file.
    """

    kind: ClassVar[str] = "pairs"

    reverse: bool = False
    folders: tuple[str, ...] = ()

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        layout = layout_of(items)
        if layout is None or not layout.known or layout.joined or not (layout.matched or layout.names != ("A", "B")):
            return None  # pairs of which some are missing are recommended too: pix2pix names them
        return Recommendation("pix2pix", f"pairs of images in {layout.names[0]}/ and {layout.names[1]}/", priority=2)

    def fit(self, items: Items) -> Self:
        """
        Raises:
            InputError: where pictures are not in pairs.
        """
        layout = layout_of(items)
        if layout is None:
            sides, channels = seen(items)
            if any(width != 2 * height for width, height in sides):
                width, height = next(side for side in sides if side[0] != 2 * side[1])
                raise InputError(
                    f"{items.name!r} holds no pairs: give two folders with files of the same names (input/ and "
                    f"target/), or files with both halves side by side, twice as wide as high (one has {width} x "
                    f"{height})"
                )
            size, wide = self.sized([(height, height) for _, height in sides])
            return replace(self, size=size, wide=wide, channels=channels, given=channels)
        layout.check()
        layout.pairs()
        (sides, first), (_, second) = (seen(items, which) for which in (layout.first, layout.second))
        given, made = (second, first) if self.reverse else (first, second)
        size, wide = self.sized(sides)
        names = layout.names[::-1] if self.reverse else layout.names
        return replace(self, size=size, wide=wide, channels=made, given=given, folders=names)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Squares of both kinds one upon the other, uint8 (n, given + channels, kept, kept).

        Raises:
            InputError: where a picture has no partner, or one of another size, or fewer than two pairs can be read.
        """
        layout = layout_of(items)
        made = self._halves(items, progress) if layout is None else self._folders(items, layout, progress)
        several(made, items.name)
        assert isinstance(made.values, Tensor)
        for name, part in (("given", made.values[:, : self.given]), ("to be made", made.values[:, self.given :])):
            if (brightest := int(part.max())) < DARK:
                raise InputError(
                    f"pictures of {items.name!r} that are {name} go from 0 to {brightest} of 255, as numbers of "
                    "classes do; make them black and white, or colours"
                )
        return made

    def _folders(self, items: Items, layout: Domains, progress: Progress) -> Encoded:
        channels = np.zeros(len(items), np.int64)
        given, wanted = (layout.second, layout.first) if self.reverse else (layout.first, layout.second)
        channels[list(given)], channels[list(wanted)] = self.given, self.channels
        found, skipped = cut_all(items, channels, self.kept, self.size, progress)
        pairs = self._ordered(layout)
        squares = {}
        for i, j in pairs:
            if i in found and j in found:
                one, other = found[i], found[j]
                _alike(items, (i, j), (one.width, one.height), (other.width, other.height))
                squares[j] = np.concatenate([one.squares, other.squares], 1)
        note = f"{self.folders[1]}/ is made of {self.folders[0]}/; say reverse={not self.reverse} for the other way"
        return encoded(squares, skipped, () if layout.known else (note.lower(),))

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """Whole pairs, known by the picture that is to be made."""
        layout = layout_of(items)
        if layout is None:
            return split_of(range(len(items)), items.held)
        return split_of([wanted for _, wanted in self._ordered(layout)], layout.held)

    def _ordered(self, layout: Domains) -> list[tuple[int, int]]:
        """Pairs, what is given first."""
        return [(j, i) for i, j in layout.pairs()] if self.reverse else layout.pairs()

    def _halves(self, items: Items, progress: Progress) -> Encoded:
        """Of pictures with both kinds side by side."""
        channels = np.full(len(items), self.channels)
        found, skipped = cut_all(items, channels, self.kept, self.size, progress, halves=True)
        squares = {i: found[i].squares for i in sorted(found)}
        if self.reverse:
            squares = {i: np.roll(both, self.channels, axis=1) for i, both in squares.items()}
        return encoded(squares, skipped)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        both = self.scale(self.cut(tensors[VALUES]))
        return {**tensors, CONDITION: both[:, : self.given], VALUES: both[:, self.given :]}

    def examples(self, items: Items, apart: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """
        Raises:
            InputError: where these are no pairs.
        """
        layout = layout_of(items)
        known = items.held if layout is None else layout.held
        kept = unseen_by_training(self.split(items), known, apart)
        if layout is None:
            for _, pixels in wholes(items, self.channels, sorted(kept), halves=True):
                both = self.scale(torch.from_numpy(pixels[None].copy())).chunk(2, 1)
                yield (both[1], both[0]) if self.reverse else (both[0], both[1])
            return
        pairs = self._ordered(layout)
        for pair in pairs:
            if pair[1] in kept:
                found = [dict(wholes(items, c, [i])) for i, c in zip(pair, (self.given, self.channels), strict=True)]
                if all(found):
                    one, other = (next(iter(part.values())) for part in found)
                    _alike(items, pair, one.shape[:0:-1], other.shape[:0:-1])
                    yield (
                        self.scale(torch.from_numpy(one[None].copy())),
                        self.scale(torch.from_numpy(other[None].copy())),
                    )


def _alike(items: Items, pair: tuple[int, int], one: tuple[int, ...], other: tuple[int, ...]) -> None:
    """
    Raises:
        InputError: where the pictures of a pair are of different sizes (width, height).
    """
    if one != other:
        first, second = (items.items.names[i] for i in pair)
        raise InputError(
            f"{first} has {one[0]} x {one[1]} pixels and its partner {second} {other[0]} x {other[1]}; "
            "make them of one size"
        )
