"""A page for every recipe: its docstring, its hyperparameters, and its results in the bench."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from sparring import recipes
from sparring.bench.page import sheet
from sparring.bench.tables import TABLES
from sparring.console import clock
from sparring.files import write_text
from sparring.json_files import read_json
from sparring.recipes.base import Recipe


def write_pages(folder: Path, bench: Path) -> list[Path]:
    """Write a page for each recipe, and one that lists them, to a folder.

    Args:
        bench: folder of the bench's pages next to it, with their results and sheets.
    """
    results = [(path.stem, read_json(path, dict[str, Any])) for path in sorted(bench.glob("*.json"))]
    written = []
    lines = ["# Recipes", ""]
    for name in recipes.names():
        recipe = recipes.find(name)
        path = folder / f"{name}.md"
        write_text(path, page(recipe, results, bench))
        written.append(path)
        lines.append(f"- [{name}]({name}.md): {summary(recipe)}")
    lines += ["", f"`sparring recipes --page {folder.as_posix()}` writes these pages.", ""]
    write_text(folder / "README.md", "\n".join(lines))
    return written


def summary(recipe: Recipe[Any]) -> str:
    """The first sentence of its docstring."""
    return " ".join(_paragraphs(recipe)[0].split())


def _paragraphs(recipe: Recipe[Any]) -> list[str]:
    return (inspect.getdoc(type(recipe)) or "").split("\n\n")


def page(recipe: Recipe[Any], results: Sequence[tuple[str, Mapping[str, Any]]], bench: Path) -> str:
    """A recipe's page in Markdown.

    Args:
        results: names of the bench's pages, with their results.
        bench: folder of these pages.
    """
    first, *rest, command = _paragraphs(recipe)
    lines = [f"# {recipe.name}", "", " ".join(first.split()), ""]
    for paragraph in rest:
        lines += [" ".join(paragraph.split()), ""]
    lines += ["```", command.strip(), "```", ""]
    up = Path("..") / bench.name
    for name, content in results:
        lines += _measured(recipe, name, content, bench, up)
    for group, rows in recipe.by_group().items():
        lines += [f"## {group}", "", "| field | value | meaning |", "|---|---|---|"]
        lines += [f"| `{field}` | {_text(value)} | {what} |" for field, value, what in rows]
        lines.append("")
    return "\n".join(lines)


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _measured(recipe: Recipe[Any], name: str, content: Mapping[str, Any], bench: Path, up: Path) -> list[str]:
    """The rows of this recipe on a page of the bench: metrics next to those of real data, and a sheet."""
    rows = [row for row in content["ours"] if row["name"].split()[0] == recipe.name]
    return [line for row in rows for line in _row(row["name"], row["numbers"], name, content, bench, up)]


def _row(
    row: str, runs: Sequence[Mapping[str, float]], name: str, content: Mapping[str, Any], bench: Path, up: Path
) -> list[str]:
    table, real = TABLES[content["table"]], content["real"]
    fields = ", ".join(f"`{field}`" for field in row.split()[1:])
    time, seeds = clock(mean(run["seconds"] for run in runs)), f", {len(runs)} seeds" if len(runs) > 1 else ""
    where = f"{time} on {content['machine']}{seeds}: [the whole table]({(up / name).as_posix()}.md)."
    title = f"## {table.title}{f' with {fields}' if fields else ''}"
    lines = [title, "", where, "", "| | this recipe | real data |", "|---|---:|---:|"]
    for column in table.columns:
        if column.name in runs[0]:
            ours = format(mean(run[column.name] for run in runs), column.format)
            ideal = format(real[column.name], column.format) if column.name in real else ""
            lines.append(f"| {column.name} | {ours} | {ideal} |")
    file = sheet(name, row)
    image = ["", f"![samples of {row}]({(up / file).as_posix()})"] if (bench / file).exists() else []
    return [*lines, *image, ""]
