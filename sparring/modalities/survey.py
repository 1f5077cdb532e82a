"""What a data set contains, and what is wrong with it, before anything is trained on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.files import write_json
from sparring.folders import check_folder, output_folder

if TYPE_CHECKING:
    from sparring.modalities.base import Modality, Words

REPORT = "report"  # in the marker of a report's folder
CLEANED = "cleaned copy"  # in that of the items that were kept
MAX_NAMED = 5  # names of a kind in the table; the JSON has them all
MAX_CLASSES = 12  # classes that the table lists
MAX_RATIO = 10  # of the sizes of the largest and the smallest class, from which classes are uneven


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The result of checking a data set. Kinds of data with checks of their own extend it.

    Attributes:
        items: the data set.
        data: its name or path, as the user gave it.
        words: what its items are called.
        count: number of items that can be read.
        classes: number of readable items of each class, by name; empty if there are no labels.
        held: number of readable items that the data set itself holds out.
        unreadable: name of each item that cannot be read, and why.
        checks: what was checked, for kinds of which only little is.
        notes: what was recognized in the data, for the user, one line each.
    """

    items: Items
    data: str
    words: Words
    count: int
    classes: Mapping[str, int]
    held: int
    unreadable: tuple[tuple[str, str], ...] = ()
    checks: str = ""
    notes: tuple[str, ...] = ()

    def rows(self) -> list[tuple[str, str]]:
        """A table for the terminal: what was checked, and the result."""
        held = f", {self.held:,} of them held out" if self.held else ""
        return [
            (self.words.items, f"{self.count:,} of {len(self.items):,} can be read{held}"),
            ("classes", _listed_classes(self.classes)),
            ("unreadable", listed([f"{name} ({why})" for name, why in self.unreadable])),
        ]

    def advice(self) -> list[str]:
        """What to do before training, most urgent first."""
        advice = []
        if self.classes and min(self.classes.values()) < 2:
            few = min(self.classes, key=lambda name: self.classes[name])
            advice.append(f"class {few!r} has {self.classes[few]}: labels are not used until it has more or is removed")
        elif self.classes and max(self.classes.values()) > MAX_RATIO * min(self.classes.values()):
            advice.append("classes are uneven: samples of the small ones will be less diverse")
        return advice + ([self.checks] if self.checks else [])

    def content(self) -> dict[str, Any]:
        """The whole result, as it is written as JSON."""
        return {
            "data": self.data,
            "count": self.count,
            "classes": dict(self.classes),
            "held_out": self.held,
            "unreadable": dict(self.unreadable),
            "advice": self.advice(),
        }

    def sheets(self) -> Mapping[str, Image.Image]:
        """Images that are written next to the report, by file name."""
        return {}

    def write(self, folder: Path) -> list[str]:
        """Write `report.json` and the sheets to a folder.

        Returns:
            The names of the files.

        Raises:
            InputError: if something other than a report is there already.
        """
        check_folder(folder, REPORT, force=True)
        sheets = self.sheets()
        with output_folder(folder, REPORT) as part:
            part.mkdir(parents=True)
            write_json(part / "report.json", self.content())
            for name, sheet in sheets.items():
                sheet.save(part / name, "PNG")
        return ["report.json", *sheets]

    def write_clean(self, out: Path) -> int:
        """Write a copy of the data set without unreadable items and duplicates.

        Returns:
            The number of items that were written.

        Raises:
            InputError: if that is not possible.
        """
        raise InputError(f"--write {out}: no cleaned copy of {self.words.items} can be written; remove --write")


def read_through(modality: Modality, items: Items, data: str, progress: Progress) -> Survey:
    """A survey of any kind of data: all items are read and encoded.

    Raises:
        InputError: if the data cannot be used.
    """
    encoded = modality.fit(items).encode(items, progress)
    readable = encoded.readable
    words = modality.words
    return Survey(
        items=items,
        data=data,
        words=words,
        count=len(readable) if encoded.span == 1 else len(items),
        classes=class_counts(items, readable),
        held=0 if items.held is None else int(items.held.sum()),
        unreadable=encoded.skipped,
        notes=encoded.notes,
        checks=f"checked only whether {words.items} can be read",
    )


def class_counts(items: Items, readable: Any) -> dict[str, int]:
    """Number of readable items of each class.

    Args:
        readable: their indices.
    """
    if items.labels is None:
        return {}
    counts = np.bincount(items.labels[readable], minlength=len(items.classes))
    return dict(zip(items.classes, counts.tolist(), strict=True))


def listed(names: Sequence[str]) -> str:
    """The number of names, and the first of them."""
    if not names:
        return "none"
    return f"{len(names):,}: {'; '.join(names[:MAX_NAMED])}{'; ...' if len(names) > MAX_NAMED else ''}"


def _listed_classes(classes: Mapping[str, int]) -> str:
    if not classes:
        return "none"
    ordered = sorted(classes.items(), key=lambda pair: -pair[1])
    shown = [f"{name} ({n:,})" for name, n in ordered]
    if len(ordered) > MAX_CLASSES:
        shown = [*shown[:MAX_NAMED], "...", *shown[-2:]]
    return f"{len(ordered)}: {', '.join(shown)}"
