"""From a set of pictures to a report about it."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import numpy as np

from sparring.data import Items
from sparring.data.sources import Unreadable
from sparring.data.store import Progress, no_progress
from sparring.errors import InputError
from sparring.modalities import Images
from sparring.modalities.images.check.duplicates import duplicates, outliers
from sparring.modalities.images.check.measure import Measured, measure
from sparring.modalities.images.check.report import Report
from sparring.modalities.images.image_files import FORMATS


def survey(items: Items, data: str, progress: Progress = no_progress) -> Report:
    """Look at every picture of a set.

    Args:
        items: pictures.
        data: how the user named them.
        progress: told how many are done.

    Raises:
        InputError: where they are no pictures, or none can be read.
    """
    if items.kind != "images":
        raise InputError(f"{data} holds {items.kind}; only pictures can be checked")
    measured = measure(items, progress)
    names = tuple(str(i) for i in range(len(items))) if isinstance(items.items, np.ndarray) else items.items.names
    size = Images().fit(items).size  # raises where none can be read
    good = [i for i, m in enumerate(measured) if isinstance(m, Measured)]
    seen = [m for m in measured if isinstance(m, Measured)]
    files = [(names[i], m.look) for i, m in zip(good, seen, strict=True)]
    counts = np.zeros(0, int) if items.labels is None else np.bincount(items.labels[good], minlength=len(items.classes))
    return Report(
        name=items.name,
        data=data,
        count=len(seen),
        names=names,
        sizes=Counter((m.look.width, m.look.height) for m in seen),
        modes=Counter(m.look.mode for m in seen),
        formats=Counter(m.look.format for m in seen),
        channels=Counter(m.look.channels for m in seen),
        classes=dict(zip(items.classes, counts.tolist(), strict=True)) if items.labels is not None else {},
        held=0 if items.held is None else int(items.held[good].sum()),
        unreadable=tuple((names[i], m.why) for i, m in enumerate(measured) if isinstance(m, Unreadable)),
        misnamed=tuple((name, look.format) for name, look in files if _misnamed(name, look.format)),
        moving=tuple(name for name, look in files if look.frames > 1),
        groups=tuple(tuple(good[i] for i in group) for group in duplicates(seen)),
        unlike={good[i]: why for i, why in outliers(seen).items()},
        size=size,
    )


def _misnamed(name: str, format: str) -> bool:
    promised = FORMATS.get(PurePosixPath(name).suffix.lower())
    return promised is not None and format != promised
