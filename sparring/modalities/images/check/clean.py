"""A copy of a set of pictures without what cannot be read and without duplicates."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from sparring.data import Items
from sparring.data.classes import printable
from sparring.errors import InputError
from sparring.files import beside, component
from sparring.modalities.images.check.report import Report
from sparring.modalities.images.image_files import FORMATS

SUFFIXES = {kind: suffix for suffix, kind in reversed(FORMATS.items())}  # the first of each format


def write_clean(items: Items, report: Report, out: Path) -> int:
    """Write a folder with the pictures that can be read, the first of each group that looks the same,
    under the suffix of what they are. Files keep their bytes; arrays become PNG files.

    Returns:
        How many were written.

    Raises:
        InputError: where `out` would replace the pictures themselves.
    """
    source = None if isinstance(items.items, np.ndarray) else items.items.path.resolve()
    if source is not None and (out.resolve() in (source, *source.parents) or source in out.resolve().parents):
        raise InputError(f"{out} is, holds or lies in {source}, which it must not touch; choose another --write")
    unreadable = {name for name, _ in report.unreadable}
    copies = {i for group in report.groups for i in group[1:]}
    keep = {i for i, name in enumerate(report.names) if name not in unreadable and i not in copies}
    right = {name: SUFFIXES[format] for name, format in report.misnamed}
    with beside(out) as part:
        part.mkdir(parents=True)
        if isinstance(items.items, np.ndarray):
            for i in sorted(keep):
                folder = part if items.labels is None else part / component(items.classes[items.labels[i]])
                folder.mkdir(exist_ok=True)
                Image.fromarray(items.items[i].squeeze()).save(folder / f"{i:0{len(str(len(items)))}}.png")
        else:
            for i, content in items.items.contents(keep):
                assert isinstance(content, bytes)  # it could be read when it was checked
                name = report.names[i]
                _vacant(part / _safe(name), right.get(name)).write_bytes(content)
    return len(keep)


def _safe(name: str) -> Path:
    """A name from an archive as a place below the folder that it is written to."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return Path(*[component(printable(part)) for part in parts if part not in ("..", "/")])


def _vacant(path: Path, suffix: str | None) -> Path:
    if suffix is not None:
        path = path.with_suffix(suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    while path.exists():
        path = path.with_stem(f"{path.stem}_")
    return path
