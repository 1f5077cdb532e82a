"""Classes and held-out items, as the folders around files define them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TRAIN = {"train", "training"}
PART = re.compile(r"part-\d{5,}")  # folders that `sparring sample --worker` writes, which are no classes
HELD = {"test", "testing", "val", "valid", "validation", "eval", "holdout"}


def classify(
    names: Sequence[str],
) -> tuple[NDArray[np.int64] | None, tuple[str, ...], NDArray[np.bool_] | None]:
    """Labels (n,), classes, and held-out items (n,), from names such as `photos/train/cat/1.png`.

    Outer folders that all files share are ignored, and so are the parts of a large set of samples. If the next level
    consists of train and test folders, it separates training from held-out items. The level after that defines the
    classes if every file is in such a folder and there are at least two of them.
    """
    folders = strip_shared([name.replace("\\", "/").split("/")[:-1] for name in names])
    if all(parts and PART.fullmatch(parts[0]) for parts in folders):
        folders = [parts[1:] for parts in folders]
    held = None
    tops = {parts[0].lower() if parts else "" for parts in folders}
    if len(tops) > 1 and tops <= TRAIN | HELD and tops & TRAIN:
        held = np.array([parts[0].lower() in HELD for parts in folders])
        folders = [parts[1:] for parts in folders]
    if not all(folders):
        return None, (), held
    labels = [printable(parts[0]) for parts in folders]
    classes = sorted(set(labels))
    if len(classes) < 2:
        return None, (), held
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index[name] for name in labels], np.int64), tuple(classes), held


def printable(name: str) -> str:
    """A file name that can be printed; bytes that are not UTF-8 are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def strip_shared(folders: list[list[str]]) -> list[list[str]]:
    """Folders without the outer ones that all share."""
    while folders and all(folders) and len({parts[0] for parts in folders}) == 1:
        folders = [parts[1:] for parts in folders]
    return folders
