"""Classes and held-out items, as the folders around pictures name them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TRAIN = {"train", "training"}
HELD = {"test", "testing", "val", "valid", "validation", "eval", "holdout"}


def sorted_out(
    names: Sequence[str],
) -> tuple[NDArray[np.int64] | None, tuple[str, ...], NDArray[np.bool_] | None]:
    """Labels, classes and what is held out, from names such as `photos/train/cat/1.png`.

    Folders around all pictures say nothing. Where the outermost that differ are train and test, they
    part what is trained on from what is held out. The next are the classes, if every picture lies in
    one and there are two of them.
    """
    folders = bare([name.replace("\\", "/").split("/")[:-1] for name in names])
    held = None
    tops = {parts[0].lower() if parts else "" for parts in folders}
    if len(tops) > 1 and tops <= TRAIN | HELD and tops & TRAIN:
        held = np.array([parts[0].lower() in HELD for parts in folders])
        folders = [parts[1:] for parts in folders]
    if not all(folders):
        return None, (), held
    found = [printable(parts[0]) for parts in folders]
    classes = sorted(set(found))
    if len(classes) < 2:
        return None, (), held
    numbers = {name: i for i, name in enumerate(classes)}
    return np.array([numbers[name] for name in found], np.int64), tuple(classes), held


def printable(name: str) -> str:
    """A file's name that can be printed, whatever its bytes are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def bare(folders: list[list[str]]) -> list[list[str]]:
    """Without the outer folders that all share."""
    while folders and all(folders) and len({parts[0] for parts in folders}) == 1:
        folders = [parts[1:] for parts in folders]
    return folders
