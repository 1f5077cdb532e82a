"""Commands that publish models and logs, check what was published, and import what others have published."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Optional

import typer

from sparring.cli.app import Device, TrustCode, app
from sparring.console import number_table, print_wide, say


@app.command(
    epilog="Examples:\n\n"
    "  sparring push runs/gan-digits me/digits --data-license 'CC BY 4.0'\n\n"
    "  sparring push runs/table-customers us/customers --license mit --public\n\n"
    "  sparring sample hf://me/digits -n 64 -o sheet.png"
)
def push(
    run: Annotated[str, typer.Argument(help="The folder of a run or of a model.")],
    to: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository; it is created if there is none.")],
    public: Annotated[
        bool, typer.Option("--public/--private", help="Whether everybody sees a repository that is created.")
    ] = False,
    license: Annotated[str, typer.Option(help="Of the weights, as the Hub names it: mit, cc-by-4.0, ...")] = "",
    data_license: Annotated[str, typer.Option(help="Of the training data, for the card.")] = "",
    use: Annotated[str, typer.Option(help="What the model is for, and what it is not for, for the card.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite another model, or write beside other files.")
    ] = False,
) -> None:
    """Publish a model on the Hugging Face Hub: safetensors, JSON, a card and samples; no code."""
    from sparring.deploy.push import push as publish

    pushed = publish(run, to, public, force, license, data_license, use, quiet=False)
    for name in pushed.files:
        say(f"  {name}")
    say(f"{len(pushed.files)} files in {pushed.url} ({'private' if pushed.private else 'public'})")
    say(f"\nEvery command takes {pushed.address} as RUN, and sparring.load does.")


@app.command(
    epilog="Examples:\n\n"
    "  sparring verify runs/gan-digits\n\n"
    "  sparring verify hf://me/photos --data photos/\n\n"
    "  sparring verify hf://me/photos@v1 --data photos/ --features imagenet --tolerance 0.05"
)
def verify(
    run: Annotated[str, typer.Argument(help="A run's folder, or hf://OWNER/NAME, with an evaluated card.")],
    data: Annotated[str, typer.Option(help="The training data on this machine. \\[default: where they were]")] = "",
    against: Annotated[str, typer.Option(help="Real data, if it was evaluated against others.")] = "",
    features: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="As for sparring evaluate, if it was evaluated in these; repeatable."),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Share by which a number may differ.")] = 0.02,
    device: Device = "auto",
    trust_code: TrustCode = False,
) -> None:
    """Compute every number of a model card again. The exit status is 1 if one differs."""
    from sparring.use.verify import verify as check

    found = check(run, data or None, against or None, features or (), tolerance, device, False, trust_code)
    say()
    print_wide(number_table(found.rows()))
    differing = sum(not each.same for each in found.checks)
    result = (
        f"{differing} of {len(found.checks)} numbers differ" if differing else f"all {len(found.checks)} numbers agree"
    )
    say(f"\n{found.protocol}\n\n{result}")
    if differing:
        raise typer.Exit(1)


@app.command(
    name="import",
    epilog="Examples:\n\n"
    "  sparring import pix2pix latest_net_G.pth -o runs/facades\n\n"
    "  sparring import cyclegan latest_net_G_A.pth latest_net_G_B.pth -o runs/horses\n\n"
    "  sparring import hifigan generator_v1 --config config.json -o runs/voice\n\n"
    "  sparring import stylegan2 G_ema.pt -o runs/faces\n\n"
    "  sparring apply runs/voice speech.wav -o again.wav",
)
def import_(
    peer: Annotated[
        str, typer.Argument(metavar="LAYOUT", help="pix2pix, cyclegan, hifigan, stylegan2, lightweight-gan or dcgan.")
    ],
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Of torch.save, or .safetensors.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A folder for the model. \\[default: runs/LAYOUT-FILE]")] = "",
    config: Annotated[str, typer.Option(help="The JSON beside the weights, for layouts that have one.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite another model.")] = False,
) -> None:
    """Turn weights that another project has published into a model; nothing in the files is executed."""
    from sparring.use.imports import import_model

    place = out or f"runs/{peer}-{Path(files[0]).stem}"
    model = import_model(peer, files, place, config or None, force)
    name = quote(place)
    say(f"recipe {model.recipe.name}, {model.modality.words.items} of shape {model.modality.shape}, in {place}\n")
    suffix = model.modality.writers[0].suffix
    command = f"sample {name} -n 64 -o sheet.png"
    if model.modality.source is not None:
        command = f"apply {name} input{suffix or '.png'} -o output{suffix or '.png'}"
    say(f"  sparring {command}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring log runs/photos --to mlflow\n\n"
    "  sparring log runs/photos --to wandb --project pictures --follow"
)
def log(
    run: Annotated[str, typer.Argument(help="The folder of a run, finished or not.")],
    to: Annotated[str, typer.Option(help="mlflow, wandb or tensorboard.")],
    project: Annotated[str, typer.Option(help="Where runs are collected.")] = "sparring",
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the training ends.")] = False,
) -> None:
    """Send the log of a run to a tracker of experiments: what is new since it was last sent."""
    from sparring.runs import loggers

    looks = loggers.follow(run, to, project) if follow else iter([loggers.send(run, to, project)])
    for sent in looks:
        say(
            f"{sent.lines:,} lines and {sent.sheets} sheets{', and the results' if sent.finished else ''}: {sent.place}"
        )
