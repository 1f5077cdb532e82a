"""Commands that inspect data, models and recipes."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparring.cli.app import app
from sparring.console import Console, Screen, say

if TYPE_CHECKING:
    from sparring.recipes.base import Recipe


@app.command(epilog="Examples:\n\n  sparring check photos/\n\n  sparring check photos.zip --write photos-clean")
def check(
    data: Annotated[str, typer.Argument(help="A folder, an archive, a file, or the name of a data set.")],
    write: Annotated[str, typer.Option(metavar="OUT", help="Save a cleaned copy of a set of images here.")] = "",
    recipe: Annotated[str, typer.Option(help="A .py file whose recipe reads a kind of data of your own.")] = "",
    out: Annotated[str, typer.Option(help="Folder of the report. \\[default: runs/check-DATA]")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the cleaned copy.")] = False,
) -> None:
    """Check data before training: how many items there are, and which are unreadable, duplicates or outliers."""
    from rich.markup import escape
    from rich.table import Table

    from sparring import recipes
    from sparring.data.addresses import shown
    from sparring.folders import check_folder
    from sparring.modalities import find, kind_of
    from sparring.modalities.survey import CLEANED, REPORT

    if write:
        check_folder(Path(write), CLEANED, force)
    first = [type(modality) for modality in recipes.find(recipe).takes] if recipe else []
    items = find(data, first)
    folder = Path(out or f"runs/check-{items.name}")
    check_folder(folder, REPORT, force=True)  # a report may be made anew
    with Screen().progress(f"checking {items.name}") as progress:
        survey = kind_of(items, first).survey(items, shown(data), progress)
    console = Console(soft_wrap=True)
    for note in (*items.notes, *survey.notes):
        console.print(note, markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, result in survey.rows():
        table.add_row(name, escape(result))
    console.print(table)
    cleaned = survey.write_clean(Path(write)) if write else 0
    written = ", ".join(survey.write(folder))
    say()
    for advice in survey.advice():
        say(f"- {advice}")
    say(f"- see {folder} ({written})")
    if write:
        say(f"- {survey.words.count(cleaned)} in {write}")
    own = f" --recipe {quote(recipe)}" if recipe else ""
    say(f"\n  sparring train {quote(write or data)}{own} --time 10m")


@app.command(epilog="Examples:\n\n  sparring recipes\n\n  sparring recipes wgan_gp")
def recipes(
    name: Annotated[str, typer.Argument(help="A recipe's name or .py file, to show its table.")] = "",
    page: Annotated[
        str, typer.Option(help="Write a page for each recipe in this folder, with results from FOLDER/../bench.")
    ] = "",
) -> None:
    """List the recipes, or show one in full: its paper, its table, its command."""
    from rich.table import Table

    from sparring import recipes
    from sparring.bench.recipe_pages import summary, write_pages

    console = Console()
    if page:
        written = write_pages(Path(page), Path(page).parent / "bench")
        console.print(f"{len(written)} pages in {page}", markup=False)
        return
    if name:
        _show(recipes.find(name))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in recipes.names():
        recipe = recipes.find(each)
        takes = ", ".join(modality.kind for modality in recipe.takes)
        table.add_row(f"[bold]{each}[/]", summary(recipe), f"[dim]{takes}[/]")
    console.print(table)


def _show(recipe: Recipe[Any]) -> None:
    import inspect

    from rich.table import Table

    console = Console()
    console.print(f"[bold]{recipe.name}[/]\n")
    console.print(inspect.getdoc(type(recipe)), markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for group, rows in recipe.by_group().items():
        table.add_row()
        table.add_row(f"[bold]{group}[/]")
        for field, value, description in rows:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            table.add_row(f"  {field}", shown, f"[dim]{description}[/]")
    console.print(table)
