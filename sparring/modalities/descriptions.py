"""What a kind of data tells of itself: its words, its encoded items, what its samples are generated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.records.reading import RecordSet
from sparring.data.store import Stored
from sparring.data.tensors import VALUES

MAX_NAMED = 3  # skipped items that are named


@dataclass(frozen=True)
class Words:
    """What an item of a kind is called.

    Attributes:
        item, items: one and several of the user's items.
        samples: several of what batches are drawn from, if they are not whole items: "windows" of a series.
        compared: what the score during training compares, for the model card.
    """

    item: str
    items: str
    samples: str = ""
    compared: str = "features"

    @property
    def trained(self) -> str:
        return self.samples or self.items

    def count(self, n: int) -> str:
        """A number of items, such as "1 image" or "2,000 images"."""
        return f"{n:,} {self.item if n == 1 else self.items}"


@dataclass(frozen=True)
class Encoded:
    """All items of a data set, as batches are drawn from them.

    Attributes:
        tensors: parts of the encoded samples by name, (n, ...) each, in memory or in a file.
        items: index of the first item of each sample, (n,).
        span: number of consecutive items that a sample is made of.
        skipped: names of the items that cannot be read, and why.
        notes: what the user should know, one line each.
        beside: a second, unpaired set: the conditions that samples of this one are generated from.
        records: the whole set in shards, if training batches can be drawn from it; the tensors hold a draw of it.
    """

    tensors: Mapping[str, Tensor | Stored]
    items: NDArray[np.int64]
    span: int = 1
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    beside: Encoded | None = None
    records: RecordSet | None = None

    def skipped_notes(self, total: int) -> list[str]:
        """How many items cannot be read, the first of them by name.

        Args:
            total: number of all items.
        """
        if not self.skipped:
            return []
        named = "; ".join(f"{name}: {why}" for name, why in self.skipped[:MAX_NAMED])
        more = "; ..." if len(self.skipped) > MAX_NAMED else ""
        return [f"skipped {len(self.skipped):,} of {total:,} ({named}{more})"]

    @property
    def readable(self) -> NDArray[np.int64]:
        """Indices of the items that can be read."""
        ascending = bool((self.items[1:] > self.items[:-1]).all())  # as of most data; sorting many is slow
        return self.items if ascending else np.unique(self.items)

    @property
    def values(self) -> Tensor | Stored:
        """The part that every kind has."""
        return self.tensors[VALUES]


@dataclass(frozen=True)
class Source:
    """The items that samples are generated from, for kinds that transform given items instead of noise.

    Attributes:
        shape: of one given item, as the networks see it.
        words: what given items are called.
        masked: True if the last channel is a mask: 1 where values are to be filled in, -1 elsewhere.
        scale: how many times larger than the given item a sample is along each side.
        paired: True if the correct result for each training item is known.
        values: range or meaning of the values of a given item.
    """

    shape: tuple[int, ...]
    words: Words
    masked: bool = False
    scale: int = 1
    paired: bool = True
    values: str = "in [-1, 1]"


@dataclass(frozen=True)
class Recommendation:
    """The recipe that fits a data set.

    Attributes:
        recipe: its name.
        why: in words for the user.
        fields: settings of the recipe.
        priority: of several recommendations for one data set, the highest counts.
    """

    recipe: str
    why: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True)
class Prices:
    """Channels of a series, some of which are prices.

    Attributes:
        names: of the channels.
        priced: True for the channels that are prices, (channels,).
        history: values at each step, (steps, channels).
        last: values that samples continue, (channels,).
    """

    names: tuple[str, ...]
    priced: NDArray[np.bool_]
    history: NDArray[np.float64]
    last: NDArray[np.float64]
