"""Commands that make models and samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import app
from sparring.errors import InputError


@app.command(
    epilog="Examples:\n\n"
    "  sparring train digits --time 2m\n\n"
    "  sparring train photos/ --recipe dcgan --steps 50000 width=32 labels=true\n\n"
    "  sparring train photos/ --recipe dcgan --resume\n\n"
    "  sparring train photos/ --metrics 9101"
)
def train(
    data: Annotated[str, typer.Argument(help="A folder or file, or a set by name: digits, mnist, ring, ...")],
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
        typer.Argument(metavar="[FIELD=VALUE]...", help="Values for the recipe's fields; see sparring recipes NAME."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or .py file. \\[default: by the data]")] = "",
    out: Annotated[str, typer.Option(help="The run's folder. \\[default: runs/RECIPE-DATA]")] = "",
    steps: Annotated[Optional[int], typer.Option(help="Stop after so many steps.")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="Stop after so long: 90s, 10m, 1h30m.")] = "",
    seed: Annotated[int, typer.Option(help="The root of all randomness.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    ranks: Annotated[int, typer.Option(help="Processes that share each batch, one to a device.")] = 1,
    until: Annotated[str, typer.Option(help="Stop early: equilibrium, plateau or fid<X.")] = "",
    memory: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Data above this are read from disk: 500M, 2G. \\[default: a quarter of the memory]"),
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="A port, or HOST:PORT, where Prometheus finds the run's numbers meanwhile.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that is there.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start anew where a run is there.")] = False,
) -> None:
    """Train a GAN on data; the run's folder gets samples, checkpoints and the model."""
    from sparring.recipes.base import parse
    from sparring.training import train

    options = {
        "recipe": recipe or None, "out": out or None, "steps": steps, "time": time or None, "seed": seed,
        "device": device, "precision": precision, "ranks": ranks, "until": until, "memory": memory, "resume": resume,
        "force": force, "metrics": metrics or None,
    }  # fmt: skip
    given = parse(fields or [])
    for name in {*options, "data"} & set(given):
        raise InputError(f"{name}={given[name]} is no field of a recipe but an option; write --{name} {given[name]}")
    model = train(data=data, **options, **given)  # type: ignore[arg-type]
    run = out or f"runs/{model.recipe.name}-{model.about['name']}"
    print(f"\nLook at {run}/samples, then try:\n")
    if model.modality.source is not None:
        mask = " --mask holes.png" if model.modality.source.masked else ""
        print(f"  sparring apply {run} picture.png -o made.png{mask}")
        print(f"  sparring evaluate {run}")
        print(f"  sparring train {data} --out {run} --resume --steps {2 * model.about['step']}")
        return
    kind = ".csv" if model.modality.kind in ("points", "rows", "series") else ""
    label = f" --label {model.modality.classes[0]}" if model.modality.classes else ""
    print(f"  sparring sample {run} -n 64 -o sheet.png")
    print(f"  sparring sample {run} -n 1000 -o samples{kind} --seed 1{label}")
    print(f"  sparring train {data} --out {run} --resume --steps {2 * model.about['step']}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring sample runs/gan-digits -n 64 -o sheet.png\n\n"
    "  sparring sample runs/gan-digits -n 1000 -o digits/ --seed 1\n\n"
    "  sparring sample runs/r3gan_mlp-ring -n 2500 -o ring.csv\n\n"
    "  sparring sample runs/table-adult -n 1000 -o rich.csv --where 'income=>50K' --where 'age<30'\n\n"
    "  sparring sample runs/series-prices -n 1000 --length 250 -o paths.csv"
)
def sample(
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            help="A folder, .png, .npz for pictures; .csv, .npy, .npz, .png for points; .csv, .tsv, "
            ".parquet, .png for rows of tables and for series (.npz too).",
        ),
    ],
    n: Annotated[int, typer.Option("-n", help="How many samples.")] = 64,
    label: Annotated[str, typer.Option(help="Only this class, for models trained with labels.")] = "",
    where: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Only such rows of a table: COLUMN=LEVEL, COLUMN>=NUMBER; repeatable."),
    ] = None,
    seed: Annotated[Optional[int], typer.Option(help="Makes the samples repeatable.")] = None,  # noqa: UP045
    length: Annotated[Optional[int], typer.Option(help="Steps of a series. \\[default: as D was shown]")] = None,  # noqa: UP045
    truncation: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Draw latents within so many deviations: more typical, less various."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Make samples with a trained model; OUT's suffix says in what format."""
    from sparring.devices import resolve
    from sparring.model import load

    model = load(run, str(resolve(device)))
    model.modality.check_writable(Path(out), force)
    model.sample(n, label or None, seed, truncation, where=where or (), length=length).save(out, force)
    print(f"{n} {'paths' if model.modality.kind == 'series' else model.modality.kind} in {out}")
