"""A copy of a set of images without unreadable files and duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from sparring.data.classes import printable
from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import component, resolved
from sparring.folders import output_folder
from sparring.modalities.images.image_files import FORMATS
from sparring.modalities.survey import CLEANED

SUFFIXES = {format: suffix for suffix, format in reversed(FORMATS.items())}  # the first of each format


def write_clean(items: Items, keep: Sequence[int], misnamed: Mapping[str, str], out: Path) -> int:
    """Write some of the images to a folder. Files keep their bytes and get the suffix of their format; arrays become
    PNG files.

    Args:
        keep: indices of the images that are written.
        misnamed: format of each file whose suffix belongs to another one, by name.

    Returns:
        The number of images.

    Raises:
        InputError: if `out` would replace the images themselves.
    """
    source = None if isinstance(items.items, np.ndarray) else resolved(items.items.path)
    if source is not None and (resolved(out) in (source, *source.parents) or source in resolved(out).parents):
        raise InputError(f"{out} overlaps with {source}, which must not be changed; choose another --write")
    with output_folder(out, CLEANED) as part:
        part.mkdir(parents=True)
        if isinstance(items.items, np.ndarray):
            for i in keep:
                folder = part if items.labels is None else part / component(items.classes[items.labels[i]])
                folder.mkdir(exist_ok=True)
                Image.fromarray(items.items[i].squeeze()).save(folder / f"{i:0{len(str(len(items)))}}.png")
        else:
            for i, content in items.items.contents(set(keep)):
                assert isinstance(content, bytes)  # it was read when it was checked
                name = items.items.names[i]
                suffix = SUFFIXES[misnamed[name]] if name in misnamed else None
                _vacant(part / _safe(name), suffix).write_bytes(content)
    return len(keep)


def _safe(name: str) -> Path:
    """A name from an archive as a place below the output folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return Path(*[component(printable(part)) for part in parts if part not in ("..", "/")])


def _vacant(path: Path, suffix: str | None) -> Path:
    if suffix is not None:
        path = path.with_suffix(suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    while path.exists():
        path = path.with_stem(f"{path.stem}_")
    return path
