"""A played table on the screen and as a page of the docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import mean, stdev

from rich.markup import escape
from rich.table import Table as Shown

from sparring.bench.play import Played
from sparring.bench.table import Column
from sparring.console import clock
from sparring.files import write_bytes, write_json
from sparring.model import load

LARGEST = 300_000  # bytes of a sheet
SAMPLES = (100, 49, 25)  # on a sheet, the fewer the larger they are
CLOUD = 2500  # points on a plot
LISTED = 5  # seeds whose numbers are all told


def cells(played: Played) -> list[list[str]]:
    """The head, published rows with their source, real data's, and ours with their spread over seeds."""
    columns = played.table.columns
    head = ["", *(column.name for column in columns), "seeds", "time each", "source"]
    rows = [
        [row.name, *(_one(column, row.numbers) for column in columns), "", "", row.source]
        for row in played.table.published
    ]
    rows.append(["real data", *(_one(column, played.ideal) for column in columns), "", "", "measured"])
    for row, runs in played.rows:
        numbers = [run.numbers for run in runs]
        many = [
            _several(column, [found[column.name] for found in numbers if column.name in found]) for column in columns
        ]
        took = clock(mean(found["seconds"] for found in numbers))
        rows.append([f"**{row.name}**", *many, str(len(numbers)), took, row.note or "measured"])
    return [head, *rows]


def _one(column: Column, numbers: Mapping[str, float]) -> str:
    return format(numbers[column.name], column.format) if column.name in numbers else ""


def _several(column: Column, values: Sequence[float]) -> str:
    """The mean, and the standard deviation where there are several; nothing where none was measured."""
    if not values:
        return ""
    shown = format(mean(values), column.format)
    if len(values) == 1 or not all(map(isfinite, values)):
        return shown
    return f"{shown} ± {format(stdev(values), column.format)}"


def worst(played: Played) -> list[str]:
    """For rows of several seeds, each number seed by seed, or the extremes of many: what a mean does not tell."""
    said = []
    for row, runs in played.rows:
        numbers = [run.numbers for run in runs]
        if len(numbers) > 1:
            ranges = []
            for column in played.table.columns:
                values = [found[column.name] for found in numbers if column.name in found]
                if not values:
                    continue
                shown = [format(value, column.format) for value in values]
                if len(values) > LISTED:
                    least, most = (format(extreme(values), column.format) for extreme in (min, max))
                    shown = [" to ".join(dict.fromkeys((least, most)))]
                ranges.append(f"{column.name} {' / '.join(shown)}")
            said.append(f"Over its {len(numbers)} seeds, {row.name}: {', '.join(ranges)}.")
    return said


def shown(played: Played) -> Shown:
    """For the screen."""
    table = Shown(box=None, pad_edge=False, header_style="bold")
    head, *rows = cells(played)
    for i, name in enumerate(head):
        table.add_column(escape(name), justify="right" if 0 < i < len(head) - 1 else "left", no_wrap=True)
    for row in rows:
        ours = row[0].startswith("**")
        table.add_row(*(escape(cell.strip("*")) for cell in row), style="bold" if ours else "")
    return table


def write(played: Played, folder: Path, name: str) -> None:
    """A page `name`.md in a folder, with its numbers and sheets of our rows' first seeds beside it."""
    head, *rows = cells(played)
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    lines.insert(1, "|---|" + "---:|" * (len(head) - 2) + "---|")
    how = " ".join(f"--{key} {value}" for key, value in played.asked.items())
    sheets = []
    for row, runs in played.rows:
        picture = f"{name}-{row.name.replace(' ', '-')}.png"
        _sheet(runs[0].folder, folder / picture)
        sheets += ["", f"![samples of {row.name}]({picture})", f"*{row.name}*"]
    text = [
        f"# {played.table.title}", "", played.table.protocol, "", *lines, "", *worst(played), "",
        f"Budget `{played.budget}`, on {played.machine}; ± is the standard deviation over seeds. "
        f"`sparring bench {played.table.name} {how} --page {folder.as_posix()}` writes this page.", *sheets, "",
    ]  # fmt: skip
    write_bytes(folder / f"{name}.md", "\n".join(text).encode())
    write_json(folder / f"{name}.json", played.content())


def _sheet(run: Path, path: Path) -> None:
    """Samples of a run: as many as make a sheet that is small enough, in 256 colours where need be."""
    model = load(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    for many in (CLOUD,) if model.modality.kind == "points" else SAMPLES:
        picture = model.sample(many, seed=0).preview()
        for version in (picture, picture.quantize(256)):
            version.save(path, optimize=True)
            if path.stat().st_size <= LARGEST:
                return
