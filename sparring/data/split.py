"""What is held out of training, to see whether a net knows data that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Stored

EVERY = 10  # every so manieth item is held out, or fewer:
MOST = 1000  # items held out at most
FEWEST = 20  # items from which on any are
HELD_EVERY = 8  # rounds of which one holds a batch of them, for D to be watched by


def held_out(n: int, labels: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """A share of every class, always the same for the same data: (n,), true where held out."""
    held = np.zeros(n, bool)
    if n >= FEWEST:
        order = np.random.default_rng(0).permutation(n)
        if labels is not None:
            order = order[np.argsort(labels[order], kind="stable")]
        every = max(EVERY, -(-n // MOST))
        held[order[every // 2 :: every]] = True
    return held


def unlabelled(items: Items, labels: NDArray[np.int64] | None) -> str:
    """Why a data set's labels cannot be used, or nothing.

    Args:
        labels: of the items that can be read.
    """
    if labels is None:
        return f"{items.name!r} has no labels"
    counts = np.bincount(labels, minlength=len(items.classes))
    if counts.min() < 2:
        few = items.classes[int(counts.argmin())]
        return f"class {few!r} has {counts.min()} of the {items.kind} that can be read; add more or remove it"
    return ""


@dataclass(frozen=True)
class Parted:
    """An encoded data set: what is trained on, and what is held out of it.

    Attributes:
        tensors: encoded items ("real") and, where they are used, their labels ("label").
        rows: the items that are trained on, int64.
        held: those that are held out, int64.
        fingerprint: tells one data set from another, whatever its name.
        beside: another set, that goes beside this one with no item belonging to another; its items are what is
            given ("label") where these are what is to be made.
    """

    tensors: Mapping[str, Tensor | Stored]
    rows: Tensor
    held: Tensor
    fingerprint: str
    beside: Parted | None = None

    def of(self, name: str, rows: Tensor) -> Tensor:
        """Some rows of a tensor, in memory, on the CPU."""
        stored = self.tensors[name]
        tensor = stored.map()[1] if isinstance(stored, Stored) else stored
        return tensor[rows.to(tensor.device)].cpu()

    def items(self, rows: Tensor) -> dict[str, Tensor]:
        """All tensors of some rows; of the set beside, as many, held-out ones beside held-out ones."""
        found = {name: self.of(name, rows) for name in self.tensors}
        if self.beside is not None:
            other, held = self.beside, len(rows) > 0 and bool((rows[0].cpu() == self.held.cpu()).any())
            pool = other.held if held and len(other.held) else other.rows
            found["label"] = other.of("real", pool[rows.to(pool.device) % len(pool)])
        return found
