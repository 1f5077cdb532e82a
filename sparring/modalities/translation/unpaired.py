"""Unpaired images: two domains, in which no image of one is the target of an image of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.domains import Domains, layout_of, missing_domain
from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Recommendation
from sparring.modalities.images.images import Images
from sparring.modalities.translation.translation import MIN_SIDE, Translation, split_of, unseen


@dataclass(frozen=True)
class Unpaired(Translation):
    """Central squares of the images of two folders, scaled to one size: the given domain and the target domain.

    Attributes:
        folders: names of the two domains, the given one first.
    """

    kind: ClassVar[str] = "unpaired"

    folders: tuple[str, ...] = ()

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        layout = layout_of(items)
        if layout is not None and layout.names == ("A", "B"):
            return Recommendation("cyclegan", "images of two domains, A and B, without partners", priority=1)
        if layout is None and (missing := missing_domain(items)):
            raise InputError(
                f"{items.name!r} has no {missing}/ next to the other domain; add it, or give only the one folder"
            )
        return None

    @property
    def paired(self) -> bool:
        return False

    def fit(self, items: Items) -> Self:
        layout = self._layout(items)
        given, target = (Images(size=self.size).fit(_only(items, part)) for part in (layout.first, layout.second))
        size = self.size or max(given.size, target.size)
        if size < MIN_SIDE:
            raise InputError(f"images of {size} pixels a side are too small to train on; give {MIN_SIDE} or more")
        channels = max(given.channels, target.channels)  # so that both can be mapped to themselves
        return replace(
            self, size=size, channels=channels, given=channels, folders=layout.names, levels=target.levels,
            given_levels=given.levels,
        )  # fmt: skip

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Images of the target domain, uint8 (n, channels, kept, kept), and beside them those of the given domain.

        Raises:
            InputError: if fewer than two of a domain can be read.
        """
        layout = self._layout(items)
        target, given = (
            self._domain(items, part, channels, levels, progress)
            for part, channels, levels in (
                (layout.second, self.channels, self.levels),
                (layout.first, self.given, self.given_levels),
            )
        )
        notes = [
            f"{name}/: {text}" for name, part in zip(self.folders, (given, target), strict=True) for text in part.notes
        ]
        return replace(target, beside=given, skipped=given.skipped + target.skipped, notes=tuple(notes))

    def _domain(
        self, items: Items, indices: tuple[int, ...], channels: int, levels: tuple[float, ...], progress: Progress
    ) -> Encoded:
        images = Images(size=self.size, channels=channels, crop=self.crop, levels=levels)
        domain = images.encode(_only(items, indices), progress)
        return replace(domain, items=np.array(indices, np.int64)[domain.items])

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """A share of the images of each domain is held out."""
        layout = self._layout(items)
        first, second = (split_of(part, layout.held) for part in (layout.first, layout.second))
        train, held = (np.concatenate(pair) for pair in ((first.train, second.train), (first.held, second.held)))
        return Split(train, held)

    def _layout(self, items: Items) -> Domains:
        layout = layout_of(items)
        if layout is None:
            raise InputError(
                f"{items.name!r} holds no two domains of images; give two folders (trainA/ and trainB/, A/ and B/)"
            )
        layout.check()
        return layout

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        return {name: self.scale(self.augment(x)) for name, x in tensors.items()}

    def examples(self, items: Items, trained_on: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Images of both domains at the size that networks are trained on, as many as the smaller domain has."""
        layout = self._layout(items)
        indices = unseen(self.split(items), layout.held, trained_on)
        parts = [tuple(i for i in part if i in indices) for part in (layout.first, layout.second)]
        read_as = ((self.given, self.given_levels), (self.channels, self.levels))
        domains = [self._domain_values(items, p, *how) for p, how in zip(parts, read_as, strict=True)]
        for given, target in zip(*domains, strict=False):
            yield given[None], target[None]

    def _domain_values(
        self, items: Items, indices: tuple[int, ...], channels: int, levels: tuple[float, ...]
    ) -> Tensor:
        values = Images(size=self.size, channels=channels, levels=levels).encode(_only(items, indices)).values
        return self.scale(values if isinstance(values, Tensor) else values.load())


def _only(items: Items, indices: tuple[int, ...]) -> Items:
    return replace(items, items=items.items.only(indices), labels=None, classes=(), held=None)
