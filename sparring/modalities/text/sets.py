"""Sets of texts that are found by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import places
from sparring.modalities.text import reading
from sparring.modalities.text.texts import Texts


def captions() -> Items:
    """10,000 captions of images of COCO, and 10,000 others that are held out, as split by Texygen. Chen et al. 2015,
    arXiv:1504.00325; Zhu et al. 2018, arXiv:1802.01886.
    """
    parts = [_lines("captions", file) for file in ("image_coco.txt", "test_coco.txt")]
    texts = tuple(text for part in parts for text in part)
    held = np.repeat([False, True], [len(part) for part in parts])
    return Items("captions", reading.KIND, Texts(texts, "line", np.arange(len(texts)) + 1), held=held)


def names() -> Items:
    """32,033 given names."""
    return _stored("names", "names.txt")


def shakespeare() -> Items:
    """A part of Shakespeare's plays, 1,115,394 characters."""
    return _stored("shakespeare", "tinyshakespeare.txt")


def _lines(name: str, file: str) -> tuple[str, ...]:
    texts: Texts = _stored(name, file).items
    return texts.texts


def _stored(name: str, file: str) -> Items:
    """A set whose file is in one of the places of named sets, in the folder text.

    Raises:
        InputError: if it is not there.
    """
    paths: list[Path] = [place / file for place in places("text")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(f"the data set {name!r} is not here; put {file} into {paths[0].parent}")
    items = reading.read_asked(path)
    assert items is not None  # since it is asked for
    return replace(items, name=name)


SETS = {"captions": captions, "names": names, "shakespeare": shakespeare}
