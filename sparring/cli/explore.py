"""The command that shows what a model has learned."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from sparring.cli.app import Device, TrustCode, app
from sparring.console import Console

OPTIONS = ("out", "only", "image", "perceptual", "film", "data", "seed", "device", "force", "trust-code")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Samples can also be asked for what sparring sample offers, such as --label CLASS; unless a class is given, "
    "classes take turns.\n\n"
    "Examples:\n\n"
    "  sparring explore runs/infogan-mnist\n\n"
    "  sparring explore runs/vaegan-photos --data more-photos/ -o explored/\n\n"
    "  sparring explore runs/acgan-digits --label 7\n\n"
    "  sparring explore runs/r3gan-faces --only inversion --image me.jpg -o me/\n\n"
    "  sparring explore runs/r3gan-faces --only interpolation -o walks/ --film walks.mp4",
)
def explore(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A run's folder, a model's folder, or a model's file.")],
    out: Annotated[
        str,
        typer.Option(
            "-o", "--out", help="A folder for the sheets and their page. \\[default: RUN/explored, or FILE-explored]"
        ),
    ] = "",
    only: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Draw only the sheet of this name; repeatable. \\[default: all that the model has]"),
    ] = None,
    image: Annotated[
        str, typer.Option(help="An image, or a folder of images, to invert. \\[default: held-out images]")
    ] = "",
    perceptual: Annotated[
        float,
        typer.Option(
            min=0, help="Weight of the perceptual distance when images are inverted. It needs the extra 'pretrained'."
        ),
    ] = 0.0,
    film: Annotated[str, typer.Option(help="Also write a film of a walk through several samples, .gif or .mp4.")] = "",
    data: Annotated[str, typer.Option(help="Real data. \\[default: the training data]")] = "",
    seed: Annotated[int, typer.Option(help="Selects the samples that are shown.")] = 0,
    device: Device = "auto",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the film, and OUT if it holds older sheets.")
    ] = False,
    trust_code: TrustCode = False,
) -> None:
    """Draw what a model has learned: walks, directions, codes, inverted images, what D looks at, nearest neighbors."""
    from sparring.cli.asks import parse_asks
    from sparring.devices import resolve
    from sparring.explore import explore as draw
    from sparring.model import load
    from sparring.model.hub import beside

    place = beside(run)
    folder = out or (f"{place.with_suffix('')}-explored" if place.is_file() else f"{place}/explored")
    console = Console(soft_wrap=True)
    asked = parse_asks(context.args, load(run, trust=trust_code).modality, "explore", OPTIONS) if context.args else {}
    sheets = draw(
        run, folder, data or None, seed, str(resolve(device)), force, only or (), image or None, film or None,
        quiet=False, trust=trust_code, perceptual=perceptual, **asked,
    )  # fmt: skip
    for sheet in sheets:
        where = f"{folder}/{sheet.name}.png" if sheet.picture else f"{folder}/index.html"
        console.print(f"{where}  {sheet.caption}", markup=False)
    if film:
        console.print(f"{film}  a walk through several samples and back", markup=False)
    console.print(f"- open {folder}/index.html", markup=False)
