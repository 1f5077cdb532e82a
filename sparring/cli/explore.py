"""The command that shows what a model has learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import app


@app.command(
    epilog="Examples:\n\n"
    "  sparring explore runs/infogan-mnist\n\n"
    "  sparring explore runs/vaegan-photos --data more-photos/ -o explored/\n\n"
    "  sparring explore runs/r3gan-faces --only inverted --picture me.jpg -o me/\n\n"
    "  sparring explore runs/r3gan-faces --only interpolation -o ways/ --film ways.mp4"
)
def explore(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's, or a model's file.")],
    out: Annotated[
        str,
        typer.Option(
            "-o", "--out", help="A folder for the sheets and their page. \\[default: RUN/explored, or FILE-explored]"
        ),
    ] = "",
    only: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Draw the sheets of this name; repeatable. \\[default: all that the model has]"),
    ] = None,
    picture: Annotated[
        str, typer.Option(help="A picture, or a folder of some, to be inverted. \\[default: held-out ones]")
    ] = "",
    label: Annotated[str, typer.Option(help="Of all samples, and of the picture. \\[default: classes in turn]")] = "",
    film: Annotated[str, typer.Option(help="Write a film through several samples too, .gif or .mp4.")] = "",
    data: Annotated[str, typer.Option(help="Real data. \\[default: what it was trained on]")] = "",
    seed: Annotated[int, typer.Option(help="Chooses the samples that are shown.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the film, and OUT where it holds older sheets.")
    ] = False,
) -> None:
    """Draw what a model has learnt: ways, directions, codes, inverted pictures, what D looks at, nearest neighbours."""
    from rich.console import Console

    from sparring.devices import resolve
    from sparring.explore import explore as draw

    place = Path(run)
    folder = out or (f"{place.with_suffix('')}-explored" if place.is_file() else f"{place}/explored")
    console = Console(highlight=False, soft_wrap=True)
    found = draw(
        run, folder, data or None, seed, str(resolve(device)), force, only or (), picture or None, label or None,
        film or None, quiet=False,
    )  # fmt: skip
    for sheet in found:
        where = f"{folder}/{sheet.name}.png" if sheet.picture else f"{folder}/index.html"
        console.print(f"{where}  {sheet.shows}", markup=False)
    if film:
        console.print(f"{film}  a way through several samples and back", markup=False)
    console.print(f"- look at {folder}/index.html", markup=False)
