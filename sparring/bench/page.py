"""The results of a table on the screen and as a page of the docs.

Everything is rendered from the JSON of the results (`Played.content`), so that pages can be rendered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from rich.markup import escape
from rich.table import Table as ScreenTable

from sparring.bench.play import Played
from sparring.bench.table import Column, Table
from sparring.bench.tables import TABLES
from sparring.console import clock
from sparring.errors import InputError
from sparring.files import write_json, write_text
from sparring.json_files import read_json
from sparring.model import load

MAX_BYTES = 300_000  # of a sheet
SHEET_SAMPLES = (100, 49, 25)  # the first number with which a sheet is small enough
PLOT_SAMPLES = 2500  # of kinds of data that are drawn as a plot
MAX_LISTED = 5  # seeds whose values are all listed
Content = Mapping[str, Any]


def cells(content: Content, table: Table) -> list[list[str]]:
    """The head, published rows with their source, the row of real data, and our rows with their spread over seeds."""
    columns = table.columns
    head = ["", *(column.name for column in columns), "seeds", "time per run", "source"]
    rows = [
        [row["name"], *(_value(column, row["numbers"]) for column in columns), "", "", row["source"]]
        for row in content["published"]
    ]
    rows.append(["real data", *(_value(column, content["real"]) for column in columns), "", "", "measured"])
    notes = {row.name: row.note for row in table.rows}
    for row in content["ours"]:
        runs = row["numbers"]
        values = [_mean(column, _values(column, runs)) for column in columns]
        time = clock(mean(run["seconds"] for run in runs))
        rows.append([f"**{row['name']}**", *values, str(len(runs)), time, notes.get(row["name"]) or "measured"])
    return [head, *rows]


def _value(column: Column, numbers: Mapping[str, float]) -> str:
    return format(numbers[column.name], column.format) if column.name in numbers else ""


def _values(column: Column, runs: Sequence[Mapping[str, float]]) -> list[float]:
    return [run[column.name] for run in runs if column.name in run]


def _mean(column: Column, values: Sequence[float]) -> str:
    """The mean, with the standard deviation of several values; "" without values."""
    if not values:
        return ""
    text = format(mean(values), column.format)
    if len(values) == 1 or not all(map(isfinite, values)):
        return text
    return f"{text} ± {format(stdev(values), column.format)}"


def spread_lines(content: Content, table: Table) -> list[str]:
    """For each row with several seeds, the values of all seeds, or the range if there are many."""
    lines = []
    for row in content["ours"]:
        runs = row["numbers"]
        if len(runs) < 2:
            continue
        columns = [(column, _values(column, runs)) for column in table.columns]
        ranges = [f"{column.name} {_listed(column, values)}" for column, values in columns if values]
        lines.append(f"{row['name']}, {len(runs)} seeds: {', '.join(ranges)}.")
    return lines


def _listed(column: Column, values: Sequence[float]) -> str:
    texts = [format(value, column.format) for value in values]
    if len(texts) <= MAX_LISTED:
        return " / ".join(texts)
    return " to ".join(dict.fromkeys(format(extreme, column.format) for extreme in (min(values), max(values))))


def screen_table(content: Content, table: Table) -> ScreenTable:
    """The results for the screen."""
    screen_table = ScreenTable(box=None, pad_edge=False, header_style="bold")
    head, *rows = cells(content, table)
    for i, name in enumerate(head):
        screen_table.add_column(escape(name), justify="right" if 0 < i < len(head) - 1 else "left", no_wrap=True)
    for row in rows:
        ours = row[0].startswith("**")
        screen_table.add_row(*(escape(cell.strip("*")) for cell in row), style="bold" if ours else "")
    return screen_table


def write(played: Played, folder: Path, name: str) -> None:
    """Write a page `name`.md to a folder, with the results as JSON and sheets of the first seeds of our rows."""
    for row, runs in played.rows:
        _write_sheet(runs[0].folder, folder / sheet(name, row.name))
    write_json(folder / f"{name}.json", played.content())
    write_text(folder / f"{name}.md", page(played.content(), played.table, folder, name))


def render(folder: Path) -> list[Path]:
    """Render the pages of a folder again from their stored results.

    Raises:
        InputError: if there are none.
    """
    written = []
    for path in sorted(folder.glob("*.json")):
        content = read_json(path, dict[str, Any])
        text = page(content, TABLES[content["table"]], folder, path.stem)
        write_text(path.with_suffix(".md"), text)
        written.append(path.with_suffix(".md"))
    if not written:
        raise InputError(f"{folder} has no results of sparring bench; name a table to run")
    return written


def page(content: Content, table: Table, folder: Path, name: str) -> str:
    """A page in Markdown."""
    head, *rows = cells(content, table)
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    lines.insert(1, "|---|" + "---:|" * (len(head) - 2) + "---|")
    spread = [line for text in spread_lines(content, table) for line in ("", text)]
    options = " ".join(f"--{key} {value}" for key, value in content["options"].items())
    made = (
        f"Budget `{content['budget']}`, on {content['machine']}; ± is the standard deviation over seeds. "
        f"`sparring bench {table.name} {options} --page {folder.as_posix()}` writes this page."
    )
    sheets = []
    for row in content["ours"]:
        sheets += ["", f"![samples of {row['name']}]({sheet(name, row['name'])})", f"*{row['name']}*"]
    return "\n".join([f"# {table.title}", "", table.protocol, "", *lines, *spread, "", made, *sheets, ""])


def sheet(page: str, row: str) -> str:
    """File name of the sheet of a row."""
    return f"{page}-{row.replace(' ', '-')}.png"


def _write_sheet(run: Path, path: Path) -> None:
    """Samples of a run, as many as fit a file of limited size, with 256 colors if necessary."""
    model = load(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    for n in (PLOT_SAMPLES,) if model.modality.kind == "points" else SHEET_SAMPLES:
        picture = model.sample(n, seed=0).preview()
        for version in (picture, picture.quantize(256)):
            version.save(path, optimize=True)
            if path.stat().st_size <= MAX_BYTES:
                return
