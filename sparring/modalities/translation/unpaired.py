"""Unpaired pictures: of two kinds, with none belonging to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.split import Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import Tensors
from sparring.errors import InputError
from sparring.modalities.base import Encoded, Recommendation
from sparring.modalities.images.images import Images
from sparring.modalities.translation.layout import Domains, layout_of, missing_domain
from sparring.modalities.translation.translation import LEAST, Translation, split_of, unseen_by_training


@dataclass(frozen=True)
class Unpaired(Translation):
    """Pictures of two folders, each whole and square, at one size: what is given, and what it is to look like.

    Attributes:
        folders: what the two kinds are called, what is given first.
    """

    kind: ClassVar[str] = "unpaired"

    folders: tuple[str, ...] = ()

    @property
    def true(self) -> bool:
        return False

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

    def fit(self, items: Items) -> Self:
        """
        Raises:
            InputError: where there are not two folders.
        """
        layout = self._layout(items)
        given, made = (Images(size=self.size).fit(_of(items, which)) for which in (layout.first, layout.second))
        size = self.size or max(given.size, made.size)
        if size < LEAST:
            raise InputError(f"{size} pixels of a side are too few to be learnt from; give {LEAST} or more")
        channels = max(given.channels, made.channels)  # so that either may stay what it is
        return replace(self, size=size, channels=channels, given=channels, folders=layout.names)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Pictures that are to be made, uint8 (n, channels, kept, kept), and beside them those that are given.

        Raises:
            InputError: where fewer than two of a kind can be read.
        """
        layout = self._layout(items)
        made, given = (
            self._domain(items, which, channels, progress)
            for which, channels in ((layout.second, self.channels), (layout.first, self.given))
        )
        return replace(made, beside=given, skipped=given.skipped + made.skipped)

    def _domain(
        self,
        items: Items,
        which: tuple[int, ...],
        channels: int,
        progress: Progress,
    ) -> Encoded:
        kind = Images(size=self.size, channels=channels, crop=self.crop)
        found = kind.encode(_of(items, which), progress)
        return replace(found, items=np.array(which, np.int64)[found.items])

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:  # noqa: ARG002
        """A share of the pictures of either domain."""
        layout = self._layout(items)
        first, second = (split_of(which, layout.held) for which in (layout.first, layout.second))
        train, held = (np.concatenate(pair) for pair in ((first.train, second.train), (first.held, second.held)))
        return Split(train, held)

    def _layout(self, items: Items) -> Domains:
        layout = layout_of(items)
        if layout is None:
            raise InputError(
                f"{items.name!r} holds no two kinds of pictures; give two folders (trainA/ and trainB/, A/ and B/)"
            )
        layout.check()
        return layout

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        return {name: self.scale(self.cut(x)) for name, x in tensors.items()}

    def examples(self, items: Items, apart: bool) -> Iterator[tuple[Tensor, Tensor]]:
        """Pictures of both kinds at the size that nets are trained on, as many as there are of the fewer."""
        layout = self._layout(items)
        kept = unseen_by_training(self.split(items), layout.held, apart)
        chosen = [[i for i in which if i in kept] for which in (layout.first, layout.second)]
        kinds = [self._squares(items, tuple(w), c) for w, c in zip(chosen, (self.given, self.channels), strict=True)]
        for given, made in zip(*kinds, strict=False):
            yield given[None], made[None]

    def _squares(self, items: Items, which: tuple[int, ...], channels: int) -> Tensor:
        found = Images(size=self.size, channels=channels).encode(_of(items, which)).values
        return self.scale(found if isinstance(found, Tensor) else found.load())


def _of(items: Items, which: tuple[int, ...]) -> Items:
    return replace(items, items=items.items.only(which), labels=None, classes=(), held=None)
