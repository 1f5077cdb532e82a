"""The items of a data set, before a modality encodes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparring.data.records.reading import RecordSet
from sparring.errors import InputError, nearest


@dataclass(frozen=True)
class Items:
    """A data set as it was read.

    Attributes:
        name: short, for the names of runs.
        kind: the kind of data, such as "points", "images", "rows" (of a table) or "series" (rows in the order of time).
        items: points as floats (n, d); images as uint8 (n, h, w) or (n, h, w, c), or as files; a table or a series as a
            pandas data frame.
        labels: the class of each item, (n,), or None.
        classes: names of the classes.
        columns: names of a point's coordinates, if the file has them.
        held: which items the data set itself reserves for testing, (n,), or None.
        notes: what the user should know about reading it, one line each.
        records: the whole set in shards, of which `items` are a draw; None if they are all.
    """

    name: str
    kind: str
    items: Any
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    held: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()
    records: RecordSet | None = None

    def __len__(self) -> int:
        return len(self.items)

    @property
    def total(self) -> int:
        """Number of items of the whole set."""
        return len(self if self.records is None else self.records)

    def class_counts(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of items of each class in the whole set.

        Args:
            labels: of the items that can be read.
        """
        if self.records is None:
            return np.bincount(labels, minlength=len(self.classes)).astype(np.int64)
        whole: NDArray[np.int64] = np.add(self.records.index.train.counts, self.records.index.held.counts)
        return whole

    def of(self, name: str) -> Items:
        """The items of one class, by its name.

        Raises:
            InputError: if there is no such class.
        """
        if self.records is not None:
            raise InputError(f"{self.name!r} is a set in shards, whose classes are not read one by one")
        if self.labels is None:
            raise InputError(f"{self.name!r} has no classes, so there is no class {name!r}")
        if name not in self.classes:
            raise InputError(f"{self.name!r} has no class {name!r}; {nearest(name, self.classes)}")
        rows = np.flatnonzero(self.labels == self.classes.index(name))
        items = self.items[rows] if isinstance(self.items, np.ndarray) else self.items.only(rows.tolist())
        held = None if self.held is None else self.held[rows]
        return replace(self, name=f"{self.name}-{name}", items=items, labels=None, classes=(), held=held)
