"""Items of several parts: the data sets of the parts, and which of their items belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.data.split import split_items
from sparring.errors import InputError

KIND = "joint"
MISSING = -1
PARTNERS = 3  # items of the other set that an item is matched with, if there are as many
MAX_LISTED = 3
LABEL = "label"  # the part and the column that say to which class matched items belong

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tuples:
    """Items of several parts.

    Attributes:
        parts: the data set of each part, by its name.
        rows: for each part the index of an item's part in that data set, (n,); -1 where an item lacks it.
        origins: index of each item in the data set that was read, (n,); several items may be made of one of its items.
    """

    parts: Mapping[str, Items]
    rows: Mapping[str, Rows]
    origins: Rows

    def __len__(self) -> int:
        return len(self.origins)

    def only(self, wanted: Sequence[int]) -> Tuples:
        """Some of the items, in the same order."""
        chosen = np.array(sorted(wanted), np.int64)
        rows = {name: rows[chosen] for name, rows in self.rows.items()}
        return replace(self, rows=rows, origins=np.arange(len(chosen)))

    def missing(self) -> Iterator[str]:
        """What items lack, in words."""
        for name, rows in self.rows.items():
            lacking = int((rows == MISSING).sum())
            if lacking:
                yield f"{lacking:,} of {len(rows):,} items have no {name}, which is masked in training"


def checked(name: str, tuples: Tuples) -> Tuples:
    """The same items.

    Raises:
        InputError: if they have fewer than two parts, or no item has one of them, or none has two.
    """
    if len(tuples.parts) < 2:
        have = ", ".join(tuples.parts)
        raise InputError(f"{name!r} has only the part {have}; joint data have at least two parts of each item")
    for part, rows in tuples.rows.items():
        if not (rows >= 0).any():
            raise InputError(f"{name!r}: no item has the part {part!r}; leave it out, or correct what names it")
    counts = np.sum([rows >= 0 for rows in tuples.rows.values()], 0)
    if (counts >= 2).sum() < 2:
        raise InputError(
            f"{name!r}: the parts {', '.join(tuples.parts)} belong to different items; none has two of them"
        )
    return tuples


def matched(items: Items, other: Items, names: tuple[str, str], labels: Items) -> Tuples:
    """Two sets whose items of one class belong together, with the class as a further part.

    Each item of the first set has up to three partners, drawn at random, of the same side: trained on or held out.

    Args:
        names: of the two parts.
        labels: a table with a row for each class of the first set.

    Raises:
        InputError: if one of the sets has no classes, or they have none in common.
    """
    for data in (items, other):
        if data.labels is None:
            raise InputError(f"{data.name!r} has no classes, by which its items could be matched with others")
    if not set(items.classes) & set(other.classes):
        raise InputError(
            f"{items.name!r} and {other.name!r} have no class in common: {_listed(items.classes)} and "
            f"{_listed(other.classes)}; rename the folders of one"
        )
    random = np.random.default_rng(0)
    splits = split_items(items), split_items(other)
    found: list[tuple[Rows, Rows, Rows]] = []
    for own, others in ((splits[0].train, splits[1].train), (splits[0].held, splits[1].held)):
        for place, name in enumerate(items.classes):
            first, second = _of_class(items, own, name), _of_class(other, others, name)
            if not len(first) or not len(second):
                continue
            first = np.tile(first, min(PARTNERS, -(-len(second) // len(first))))
            found.append((first, np.resize(random.permutation(second), len(first)), np.full(len(first), place)))
    one, two, classes = (np.concatenate(column) for column in zip(*found, strict=True))
    sets = {names[0]: items, names[1]: other, LABEL: labels}
    return Tuples(sets, {names[0]: one, names[1]: two, LABEL: classes}, one)


def table_of_classes(name: str, classes: Sequence[str]) -> Items:
    """A row for each class, with its name as the only column."""
    import pandas

    return Items(name, "rows", pandas.DataFrame({LABEL: pandas.Series(classes, dtype="string")}))


def _of_class(items: Items, rows: Rows, name: str) -> Rows:
    if name not in items.classes or items.labels is None:
        return rows[:0]
    chosen: Rows = rows[items.labels[rows] == items.classes.index(name)]
    return chosen


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_LISTED]) + (", ..." if len(names) > MAX_LISTED else "")
