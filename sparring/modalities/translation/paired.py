"""Paired images: each given image has a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.domains import Domains, layout_of
from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Recommendation
from sparring.modalities.images.depth import Levels
from sparring.modalities.translation.crops import crop_all, whole_images
from sparring.modalities.translation.translation import (
    Translation,
    check_count,
    encoded,
    examined,
    split_of,
    unseen,
)

MIN_BRIGHTEST = 16  # gray level that the brightest pixel of a set must reach; class indices stay below


@dataclass(frozen=True)
class Paired(Translation):
    """Images of two folders with the same file names, or the two halves of each file.

    Attributes:
        reverse: True to generate images of the first domain from those of the second.
        folders: names of the two domains, the given one first; () if they are halves of a file.
    """

    kind: ClassVar[str] = "pairs"

    reverse: bool = False
    folders: tuple[str, ...] = ()

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        layout = layout_of(items)
        if layout is None or not layout.known or layout.joined or not (layout.matched or layout.names != ("A", "B")):
            return None
        # Pairs of which some are incomplete are recommended too, because `fit` names the missing files.
        return Recommendation("pix2pix", f"pairs of images in {layout.names[0]}/ and {layout.names[1]}/", priority=2)

    def fit(self, items: Items) -> Self:
        layout = layout_of(items)
        if layout is None:
            return self._fit_halves(items)
        layout.check()
        layout.pairs()
        first, second = (examined(items, part) for part in (layout.first, layout.second))
        given, target = (second, first) if self.reverse else (first, second)
        size, wide = self.sizes_for(first.sides)
        names = layout.names[::-1] if self.reverse else layout.names
        return replace(
            self, size=size, wide=wide, channels=target.channels, given=given.channels, folders=names,
            levels=target.levels, given_levels=given.levels,
        )  # fmt: skip

    def _fit_halves(self, items: Items) -> Self:
        some = examined(items)
        other = next(((width, height) for width, height in some.sides if width != 2 * height), None)
        if other is not None:
            raise InputError(
                f"{items.name!r} holds no pairs: give two folders with files of the same names (input/ and target/), "
                f"or files with both halves side by side, twice as wide as high (one has {other[0]} x {other[1]})"
            )
        size, wide = self.sizes_for([(height, height) for _, height in some.sides])
        return replace(
            self, size=size, wide=wide, channels=some.channels, given=some.channels, levels=some.levels,
            given_levels=some.levels,
        )  # fmt: skip

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Crops of both domains, the channels of the target after those of the given image: uint8
        (n, given + channels, kept, kept).

        Raises:
            InputError: if an image has no partner, or one of another size, or fewer than two pairs can be read.
        """
        layout = layout_of(items)
        pairs = self._encode_halves(items, progress) if layout is None else self._encode_pairs(items, layout, progress)
        check_count(pairs, items.name)
        assert isinstance(pairs.values, Tensor)
        for name, part in (("given", pairs.values[:, : self.given]), ("target", pairs.values[:, self.given :])):
            if (brightest := int(part.max())) < MIN_BRIGHTEST:
                raise InputError(
                    f"the {name} images of {items.name!r} have values from 0 to {brightest} of 255, like class "
                    "indices; convert them to black and white, or to colors"
                )
        return pairs

    def _encode_pairs(self, items: Items, layout: Domains, progress: Progress) -> Encoded:
        channels = np.zeros(len(items), np.int64)
        given, target = (layout.second, layout.first) if self.reverse else (layout.first, layout.second)
        channels[list(given)], channels[list(target)] = self.given, self.channels
        levels = [self.depth] * len(items)
        for i in given:
            levels[i] = Levels(self.given_levels)
        crops, skipped = crop_all(items, channels, self.kept, self.size, progress, levels)
        joined = {}
        for i, j in self._pairs(layout):
            if i in crops and j in crops:
                one, other = crops[i], crops[j]
                _check_sizes(items, (i, j), (one.width, one.height), (other.width, other.height))
                joined[j] = np.concatenate([one.pixels, other.pixels], 1)
        note = (
            f"{self.folders[1]}/ is generated from {self.folders[0]}/; give reverse={str(not self.reverse).lower()} "
            "for the opposite direction"
        )
        notes = [
            f"{name}/: {text}"
            for name, part in zip(layout.names, (layout.first, layout.second), strict=True)
            for text in examined(items, part).notes
        ]
        return encoded(joined, skipped, (*notes, *(() if layout.known else (note,))))

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """The split of whole pairs, identified by their target."""
        layout = layout_of(items)
        if layout is None:
            return split_of(range(len(items)), items.held)
        return split_of([target for _, target in self._pairs(layout)], layout.held)

    def _pairs(self, layout: Domains) -> list[tuple[int, int]]:
        """Indices of the given image and the target of each pair."""
        return [(j, i) for i, j in layout.pairs()] if self.reverse else layout.pairs()

    def _encode_halves(self, items: Items, progress: Progress) -> Encoded:
        channels = np.full(len(items), self.channels)
        levels = [self.depth] * len(items)
        crops, skipped = crop_all(items, channels, self.kept, self.size, progress, levels, halves=True)
        pixels = {i: crops[i].pixels for i in sorted(crops)}
        if self.reverse:
            pixels = {i: np.roll(both, self.channels, axis=1) for i, both in pixels.items()}
        return encoded(pixels, skipped, examined(items).notes)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        both = self.scale(self.augment(tensors[VALUES]))
        return {**tensors, CONDITION: both[:, : self.given], VALUES: both[:, self.given :]}

    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """
        Raises:
            InputError: if these are not pairs.
        """
        layout = layout_of(items)
        indices = unseen(self.split(items), items.held if layout is None else layout.held, trained_on)
        if layout is None:
            for _, pixels in whole_images(items, self.channels, sorted(indices), self.depth, halves=True):
                first, second = self._scaled(pixels).chunk(2, 1)
                yield (second, first) if self.reverse else (first, second)
            return
        for pair in self._pairs(layout):
            if pair[1] in indices:
                read_as = ((self.given, Levels(self.given_levels)), (self.channels, self.depth))
                images = [dict(whole_images(items, c, [i], depth)) for i, (c, depth) in zip(pair, read_as, strict=True)]
                if all(images):
                    given, target = (next(iter(image.values())) for image in images)
                    _check_sizes(items, pair, given.shape[:0:-1], target.shape[:0:-1])
                    yield self._scaled(given), self._scaled(target)

    def _scaled(self, pixels: NDArray[np.uint8]) -> Tensor:
        return self.scale(torch.from_numpy(pixels[None].copy()))


def _check_sizes(items: Items, pair: tuple[int, int], one: tuple[int, ...], other: tuple[int, ...]) -> None:
    """Check that the images of a pair have the same width and height.

    Raises:
        InputError: if they have not.
    """
    if one != other:
        first, second = (items.items.names[i] for i in pair)
        raise InputError(
            f"{first} has {one[0]} x {one[1]} pixels and its partner {second} {other[0]} x {other[1]}; "
            "resize them to the same size"
        )
