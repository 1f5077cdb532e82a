"""Which items of a data set are trained on and which are held out. Nothing else decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items

HELD_FRACTION = 10  # one item in this many is held out, fewer in large sets
MAX_HELD = 1000  # items held out at most
MIN_ITEMS = 20  # of smaller sets none are held out
HELD_EVERY = 8  # one round in this many has a batch of held-out items, by which D is watched


@dataclass(frozen=True)
class Split:
    """The items of a data set that are trained on, and those that are held out.

    Attributes:
        train: indices of the items that are trained on, int64 (n,).
        held: indices of the held-out items, int64 (m,); no index is in both.
    """

    train: NDArray[np.int64]
    held: NDArray[np.int64]

    def samples(self, items: NDArray[np.int64], span: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which samples are trained on and which are held out, as indices of samples.

        A sample is made of `span` consecutive items. It is trained on if all of them are, and held out if all of them
        are. Samples with items of both sides are dropped.

        Args:
            items: index of the first item of each sample, (samples,).
        """
        if span == 1:
            return self._containing(self.train, items), self._containing(self.held, items)
        size = int(max(items.max(initial=-1) + span, self.train.max(initial=-1) + 1, self.held.max(initial=-1) + 1))
        chosen = []
        for side in (self.train, self.held):
            member = np.zeros(size + 1, np.int64)
            member[side + 1] = 1
            count = member.cumsum()  # count[i]: items of this side below i
            chosen.append(np.flatnonzero(count[items + span] - count[items] == span))
        return chosen[0], chosen[1]

    @staticmethod
    def _containing(side: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which items are on a side; with little memory, for there may be a hundred million."""
        member = np.zeros(1 + max(items.max(initial=-1), side.max(initial=-1)), bool)
        member[side] = True
        return np.flatnonzero(member[items])


def split_items(
    items: Items, readable: NDArray[np.int64] | None = None, stratify: bool = True, most: int = MAX_HELD
) -> Split:
    """The split that a data set defines itself, or a fixed share of every class.

    Args:
        readable: indices of the items that can be read; all unless given.
        stratify: whether every class has its share of held-out items.
        most: items held out at most, unless the data set defines them.
    """
    index = np.arange(len(items)) if readable is None else readable
    if items.held is not None:
        held = items.held[index]
    else:
        held = held_out(len(index), items.labels[index] if stratify and items.labels is not None else None, most)
    return Split(index[~held], index[held])


def held_out(n: int, labels: NDArray[np.int64] | None, most: int = MAX_HELD) -> NDArray[np.bool_]:
    """A fixed share of every class, always the same for the same data: (n,), true where held out."""
    held = np.zeros(n, bool)
    if n >= MIN_ITEMS:
        order = np.random.default_rng(0).permutation(n)
        if labels is not None:
            order = order[np.argsort(labels[order], kind="stable")]
        every = max(HELD_FRACTION, -(-n // most))
        held[order[every // 2 :: every]] = True
    return held
