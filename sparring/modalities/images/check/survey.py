"""From a set of images to a survey of it."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from sparring.data.items import Items
from sparring.data.sources import Unreadable
from sparring.data.store import Progress, no_progress
from sparring.modalities.images.check.duplicates import duplicates, outliers
from sparring.modalities.images.check.measure import Measured, measure
from sparring.modalities.images.check.report import ImageSurvey
from sparring.modalities.images.fitting import examine_some, notes_on
from sparring.modalities.images.image_files import FORMATS
from sparring.modalities.survey import class_counts

if TYPE_CHECKING:
    from sparring.modalities.images.images import Images


def survey(modality: Images, items: Items, data: str, progress: Progress = no_progress) -> ImageSurvey:
    """Examine all images of a set.

    Args:
        modality: that chooses the size of the images.
        data: name or path that the user gave.

    Raises:
        InputError: if none can be read.
    """
    fitted = modality.fit(items)  # raises if none can be read
    results = measure(items, progress, fitted.depth)
    names = tuple(str(i) for i in range(len(items))) if isinstance(items.items, np.ndarray) else items.items.names
    good = [i for i, result in enumerate(results) if isinstance(result, Measured)]
    measured = [result for result in results if isinstance(result, Measured)]
    headers = [(names[i], m.header) for i, m in zip(good, measured, strict=True)]
    return ImageSurvey(
        items=items,
        data=data,
        words=modality.words,
        count=len(measured),
        names=names,
        sizes=Counter((m.header.width, m.header.height) for m in measured),
        modes=Counter(m.header.mode for m in measured),
        formats=Counter(m.header.format for m in measured),
        channels=Counter(m.header.channels for m in measured),
        classes=class_counts(items, good),
        held=0 if items.held is None else int(items.held[good].sum()),
        unreadable=tuple((names[i], r.why) for i, r in enumerate(results) if isinstance(r, Unreadable)),
        misnamed=tuple((name, header.format) for name, header in headers if _is_misnamed(name, header.format)),
        animated=tuple(name for name, header in headers if header.frames > 1),
        groups=tuple(tuple(good[i] for i in group) for group in duplicates(measured)),
        outliers={good[i]: how for i, how in outliers(measured).items()},
        size=fitted.size,
        levels=fitted.depth,
        notes=_decided(fitted, items),
    )


def _decided(fitted: Images, items: Items) -> tuple[str, ...]:
    """What training decides about the images, one line each."""
    if isinstance(items.items, np.ndarray):
        return ()
    return notes_on(examine_some(items.items), fitted.channels, fitted.depth)


def _is_misnamed(name: str, format: str) -> bool:
    expected = FORMATS.get(PurePosixPath(name).suffix.lower())
    return expected is not None and format != expected
