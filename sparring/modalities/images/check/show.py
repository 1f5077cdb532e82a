"""A report for people: a table on the screen, sheets of pictures, a page of JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.markup import escape
from rich.table import Table

from sparring.data import Items
from sparring.data.sources import Unreadable
from sparring.errors import InputError
from sparring.files import beside, write_json
from sparring.modalities.images.check.report import Report
from sparring.modalities.images.decoding import loaded, squared
from sparring.sheets import sheet

NAMED = 5  # of a kind on the screen; the JSON has them all
ROWS = 8  # pictures of each class on the sheet
COLUMNS = 12  # classes on the sheet
SHOWN = 64  # pictures on any other sheet
SIDE = 64  # pixels of a picture on a sheet, at most


def table(report: Report) -> Table:
    """What was found, a row each."""
    rows = Table(box=None, pad_edge=False, show_header=False)
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column()
    rows.add_row("pictures", f"{report.count:,} of {len(report.names):,} can be read" + _held(report))
    rows.add_row("sizes", _sizes(report.sizes))
    rows.add_row("modes", _counts(report.modes))
    rows.add_row("formats", _counts(report.formats))
    kinds = {1: "grey", 3: "colour", 4: "colour and alpha"}
    rows.add_row("channels", _counts({kinds[k]: n for k, n in report.channels.most_common()}))
    rows.add_row("classes", _classes(report))
    rows.add_row("unreadable", _named([f"{name} ({why})" for name, why in report.unreadable]))
    rows.add_row("misnamed", _named([f"{name} is {kind}" for name, kind in report.misnamed]))
    rows.add_row("moving", _named(list(report.moving)))
    groups = [" = ".join(report.names[i] for i in group[:3]) for group in report.groups]
    rows.add_row("duplicates", f"{report.copies:,}: {_some(groups)}" if groups else "none")
    rows.add_row("outliers", _named([f"{report.names[i]} ({why})" for i, why in report.unlike.items()]))
    return rows


def _held(report: Report) -> str:
    return f", {report.held:,} of them held out" if report.held else ""


def _sizes(sizes: Counter[tuple[int, int]]) -> str:
    if len(sizes) <= 3:
        return ", ".join(f"{w} x {h} ({n:,})" for (w, h), n in sizes.most_common())
    widths, heights = (np.array([size[axis] for size in sizes.elements()]) for axis in (0, 1))
    low, high = f"{widths.min()} x {heights.min()}", f"{widths.max()} x {heights.max()}"
    return f"{len(sizes):,} different, from {low} to {high}, median {np.median(widths):.0f} x {np.median(heights):.0f}"


def _counts(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{name} ({n:,})" for name, n in sorted(counts.items(), key=lambda pair: -pair[1]))


def _classes(report: Report) -> str:
    if not report.classes:
        return "none"
    ordered = sorted(report.classes.items(), key=lambda pair: -pair[1])
    shown = ordered if len(ordered) <= COLUMNS else [*ordered[:NAMED], ("...", -1), *ordered[-2:]]
    listed = ", ".join(escape(name) + (f" ({n:,})" if n >= 0 else "") for name, n in shown)
    return f"{len(ordered)}: {listed}"


def _named(names: Sequence[str]) -> str:
    return f"{len(names):,}: {_some(names)}" if names else "none"


def _some(names: Sequence[str]) -> str:
    return escape("; ".join(names[:NAMED]) + ("; ..." if len(names) > NAMED else ""))


def write_report(items: Items, report: Report, folder: Path) -> list[str]:
    """Write `report.json` and the sheets to a folder.

    Returns:
        The names of the files.

    Raises:
        InputError: where something that is no report is there already.
    """
    if folder.exists() and not (folder / "report.json").is_file():
        raise InputError(f"{folder} exists and is not a report; choose another --out")
    first = [i for group in report.groups for i in group[:2]][:SHOWN]
    sheets = {"sheet.png": _examples(items, report), "duplicates.png": (first, 8)}
    sheets["outliers.png"] = (list(report.unlike)[:SHOWN], 8)
    sheets = {name: sheet for name, sheet in sheets.items() if sheet[0]}
    with beside(folder) as part:
        part.mkdir(parents=True)
        write_json(part / "report.json", report.content())
        for name, (indices, columns) in sheets.items():
            sheet(squares(items, indices, report), columns).save(part / name, "PNG")
    return ["report.json", *sheets]


def _examples(items: Items, report: Report) -> tuple[list[int], int]:
    """A column of each class, or some of all; without what cannot be read."""
    unreadable = {name for name, _ in report.unreadable}
    good = np.array([i for i, name in enumerate(report.names) if name not in unreadable])
    if items.labels is None:
        return good[np.linspace(0, len(good) - 1, min(SHOWN, len(good))).astype(int)].tolist(), 8
    members = [good[items.labels[good] == k] for k in range(len(items.classes))]
    members = [m for m in members if len(m)][:COLUMNS]
    rows = min(ROWS, *(len(m) for m in members))
    spread = [m[np.linspace(0, len(m) - 1, rows).astype(int)] for m in members]
    return np.stack(spread, 1).ravel().tolist(), len(members)


def squares(items: Items, indices: Sequence[int], report: Report) -> NDArray[np.uint8]:
    """Some pictures as (n, side, side, channels)."""
    channels, side = max(report.channels), min(SIDE, report.size)
    if isinstance(items.items, np.ndarray):
        pictures = {i: Image.fromarray(items.items[i].squeeze()) for i in indices}
    else:
        read = {i: loaded(content) for i, content in items.items.contents(set(indices))}
        pictures = {i: picture for i, picture in read.items() if not isinstance(picture, Unreadable)}
    return np.stack([squared(pictures[i], side, channels).transpose(1, 2, 0) for i in indices])
