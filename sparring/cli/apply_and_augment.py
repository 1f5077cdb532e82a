"""Commands that put models to use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import app


@app.command(
    epilog="Examples:\n\n"
    "  sparring apply runs/pix2pix-maps map.png -o photo.png\n\n"
    "  sparring apply runs/srgan-photos holiday/ -o larger/\n\n"
    "  sparring apply runs/cyclegan-horses zebra.mp4 -o horse.mp4 --reverse\n\n"
    "  sparring apply runs/inpaint-photos scratched.jpg -o mended.png --mask scratches.png"
)
def apply(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's, from pictures to pictures.")],
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A picture, a folder of pictures, or a video.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            help="A .png, .jpg, .webp, .tif, .bmp; a folder for a folder; .mp4, .mov, .mkv, .webm, .gif for a video.",
        ),
    ],
    mask: Annotated[
        str,
        typer.Option(help="Not black where pixels are to be filled; a folder for a folder. \\[default: transparency]"),
    ] = "",
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way, for models of two ways.")] = False,
    sharpness: Annotated[float, typer.Option(help="For restoring models; below 1 more cautious.")] = 1.0,
    smooth: Annotated[
        bool, typer.Option("--smooth/--no-smooth", help="Hold still what does not move in a video.")
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Translate or restore pictures and videos of any size by a trained model."""
    from sparring.use.apply import apply, is_video

    n = apply(run, source, out, mask or None, reverse, sharpness, smooth, device, force, quiet=False)
    video = Path(source).is_file() and is_video(Path(source), Path(out))
    print(f"{n:,} {'frame' if video else 'picture'}{'' if n == 1 else 's'} in {out}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring augment runs/table-customers -o more.csv -n 5000\n\n"
    "  sparring augment runs/acgan-xrays -o enlarged/ --rare"
)
def augment(
    run: Annotated[str, typer.Argument(help="A run's folder: of a table, or of pictures with labels.")],
    out: Annotated[str, typer.Option("-o", "--out", help="The enlarged set: a folder, .npz, .csv, .tsv, .parquet.")],
    n: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "-n", help="Samples that are added, not with --rare. \\[default: as many as there are real items]"
        ),
    ] = None,
    rare: Annotated[
        bool, typer.Option("--rare", help="Add the rarer classes only, until all are as frequent.")
    ] = False,
    target: Annotated[
        str, typer.Option(help="The category of a table that is the class. \\[default: the model's]")
    ] = "",
    against: Annotated[
        str, typer.Option(help="Other data, that the model has not seen. \\[default: held-out ones]")
    ] = "",
    seeds: Annotated[int, typer.Option(help="Of samples, classifiers and draws of unseen items.")] = 5,
    without: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Leave out 'class weights', 'SMOTE', 'samples' or 'samples of the rare'; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Enlarge a labelled set by samples, and see what that does to a classifier, beside simpler ways."""
    from rich.console import Console

    from sparring.console import listed, whole
    from sparring.use import augment as enlarge

    found = enlarge(run, out, n, rare, target, against or None, seeds, without or (), force, quiet=False)
    print()
    whole(listed(found.rows()))
    console = Console(highlight=False)
    console.print(f"\n{found.protocol}.\n", markup=False)
    for name in found.scores:
        if name != "nothing":
            console.print(f"- {found.verdict(name)}", markup=False)
    real, made = found.written
    console.print(f"- {real:,} real items and {made:,} samples after them in {out}", markup=False)


@app.command(
    epilog="Examples:\n\n"
    "  sparring scenarios runs/series-prices -o risk/\n\n"
    "  sparring scenarios runs/series-prices -o risk/ --horizon 10 --weight 'AAPL Close=2' --weight 'MSFT Close=1'"
)
def scenarios(
    run: Annotated[str, typer.Argument(help="A run's folder, of a series of prices.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A folder for the table, the plot and the paths.")],
    n: Annotated[int, typer.Option("-n", help="Paths.")] = 10_000,
    horizon: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option(help="Steps ahead; repeatable. \\[default: 1, 5 and 20]"),
    ] = None,
    weight: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="What is held of a channel, by value: NAME=AMOUNT; repeatable. \\[default: of all as much]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the paths.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Simulate prices: value at risk and expected shortfall of what is held, beside history's."""
    from rich.console import Console

    from sparring.console import listed, whole
    from sparring.use import scenarios as simulate
    from sparring.use.scenarios import rows

    found = simulate(run, out, n, horizon or (1, 5, 20), weight or (), seed, force)
    print()
    whole(listed(rows(found)))
    console = Console(highlight=False)
    console.print(
        f"\nLosses in shares of what is held; {n:,} paths, each of history's from every step.\n", markup=False
    )
    console.print(f"- look at {out} (risk.csv, fan.png, paths.npz)", markup=False)
