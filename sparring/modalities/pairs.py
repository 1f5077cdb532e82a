"""Paired pictures: what is given, and what is to be made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from sparring.data.domains import Domains, domains
from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.modalities.mapped import Mapped, encoded, held, seen, several
from sparring.modalities.modality import Encoded, unseen
from sparring.modalities.squares import cut_all, folded, wholes


@dataclass(frozen=True)
class Pairs(Mapped):
    """Pictures of two folders that are called alike, or the two halves of every file.

    Attributes:
        reverse: whether the first kind is made of the second.
        folders: what the two kinds are called, what is given first; none where they are halves of a file.
    """

    kind: ClassVar[str] = "pairs"

    reverse: bool = False
    folders: tuple[str, ...] = ()

    def fit(self, items: Items) -> Self:
        """
        Raises:
            InputError: where pictures are not in pairs.
        """
        layout = _layout(items)
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

    def encode(self, items: Items, progress: Progress = unseen) -> Encoded:
        """Squares of both kinds one upon the other, uint8 (n, given + channels, kept, kept).

        Raises:
            InputError: where a picture has no partner, or one of another size, or fewer than two pairs can be read.
        """
        layout = _layout(items)
        made = self._halves(items, progress) if layout is None else self._folders(items, layout, progress)
        return several(made, items.name)

    def _folders(self, items: Items, layout: Domains, progress: Progress) -> Encoded:
        channels = np.zeros(len(items), np.int64)
        given, wanted = (layout.second, layout.first) if self.reverse else (layout.first, layout.second)
        channels[list(given)], channels[list(wanted)] = self.given, self.channels
        found, skipped = cut_all(items, channels, self.kept, self.size, progress)
        pairs = [pair for pair in layout.pairs() if all(i in found for i in pair)]
        for i, j in pairs:
            one, other = found[i], found[j]
            if (one.height, one.width) != (other.height, other.width):
                raise InputError(
                    f"{items.items.names[i]} has {one.width} x {one.height} pixels and its partner "
                    f"{items.items.names[j]} {other.width} x {other.height}; make them of one size"
                )
        if self.reverse:
            pairs = [(j, i) for i, j in pairs]
        squares = [np.concatenate([found[i].squares, found[j].squares], 1) for i, j in pairs]
        note = f"{self.folders[1]}/ is made of {self.folders[0]}/; say reverse={not self.reverse} for the other way"
        return encoded(squares, [j for _, j in pairs], layout.held, skipped, () if layout.known else (note.lower(),))

    def _halves(self, items: Items, progress: Progress) -> Encoded:
        """Of pictures with both kinds side by side."""
        channels = np.full(len(items), self.channels)
        found, skipped = cut_all(items, channels, self.kept, self.size, progress, halves=True)
        owners = sorted(found)
        squares = [found[i].squares for i in owners]
        if self.reverse:
            squares = [np.roll(both, self.channels, axis=1) for both in squares]
        return encoded(squares, owners, items.held, skipped)

    def batch(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        both = self.scale(self.cut(tensors["real"]))
        return {**tensors, "label": both[:, : self.given], "real": both[:, self.given :]}

    def examples(self, items: Items, apart: bool) -> Iterator[tuple[Tensor, Tensor]]:
        layout = _layout(items)
        if layout is None:
            for _, pixels in wholes(items, self.channels, held(range(len(items)), items.held, apart)):
                both = self.scale(torch.from_numpy(folded(pixels)[None].copy())).chunk(2, 1)
                yield (both[1], both[0]) if self.reverse else (both[0], both[1])
            return
        pairs = [pair[::-1] if self.reverse else pair for pair in layout.pairs()]
        kept = set(held([wanted for _, wanted in pairs], layout.held, apart))
        for pair in pairs:
            if pair[1] in kept:
                found = [dict(wholes(items, c, [i])) for i, c in zip(pair, (self.given, self.channels), strict=True)]
                if all(found):
                    given, made = (torch.from_numpy(next(iter(p.values()))[None].copy()) for p in found)
                    yield self.scale(given), self.scale(made)


def _layout(items: Items) -> Domains | None:
    return None if isinstance(items.items, np.ndarray) else domains(items.items.names)
