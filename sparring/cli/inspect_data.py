"""Commands that look at data, models and recipes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparring.cli.app import app

if TYPE_CHECKING:
    from sparring.recipes.base import Recipe


@app.command(epilog="Examples:\n\n  sparring check photos/\n\n  sparring check photos.zip --write photos-clean")
def check(
    data: Annotated[str, typer.Argument(help="A folder, an archive or a file of pictures, or a set by name.")],
    write: Annotated[str, typer.Option(metavar="OUT", help="Save a cleaned copy in this folder.")] = "",
    out: Annotated[str, typer.Option(help="Where the report goes. \\[default: runs/check-DATA]")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the cleaned copy.")] = False,
) -> None:
    """Look at pictures before training on them: what they are, and which are broken, double or odd."""
    from rich.console import Console

    from sparring.console import Screen
    from sparring.files import vacant
    from sparring.modalities import find
    from sparring.modalities.images.check import survey, table, write_clean, write_report

    if write:
        vacant(Path(write), force)
    items = find(data)
    folder = Path(out or f"runs/check-{items.name}")
    with Screen().progress(f"looking at {items.name}") as progress:
        report = survey(items, data, progress)
    console = Console(highlight=False, soft_wrap=True)
    for note in items.notes:
        console.print(note, markup=False)
    console.print(table(report))
    written = ", ".join(write_report(items, report, folder))
    print()
    for advice in report.advice():
        print(f"- {advice}")
    print(f"- look at {folder} ({written})")
    if write:
        print(f"- {write_clean(items, report, Path(write)):,} pictures in {write}")
    print(f"\n  sparring train {write or data} --time 10m")


@app.command(epilog="Examples:\n\n  sparring recipes\n\n  sparring recipes wgan_gp")
def recipes(
    name: Annotated[str, typer.Argument(help="A recipe's name or .py file, to see its table.")] = "",
    page: Annotated[
        str, typer.Option(help="Write a page for each in this folder, with what FOLDER/../bench has.")
    ] = "",
) -> None:
    """List the recipes, or show one in full: its paper, its table, its command."""
    from rich.console import Console
    from rich.table import Table

    from sparring import recipes
    from sparring.bench.recipe_pages import summary, write_pages

    console = Console(highlight=False)
    if page:
        written = write_pages(Path(page), Path(page).parent / "bench")
        console.print(f"{len(written)} pages in {page}", markup=False)
        return
    if name:
        _show(recipes.find(name))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for known in recipes.names():
        found = recipes.find(known)
        takes = ", ".join(modality.kind for modality in found.takes)
        table.add_row(f"[bold]{known}[/]", summary(found), f"[dim]{takes}[/]")
    console.print(table)


def _show(recipe: Recipe[Any]) -> None:
    import inspect

    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{recipe.name}[/]\n")
    console.print(inspect.getdoc(type(recipe)), markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for group, rows in recipe.table().items():
        table.add_row()
        table.add_row(f"[bold]{group}[/]")
        for field, value, what in rows:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            table.add_row(f"  {field}", shown, f"[dim]{what}[/]")
    console.print(table)
