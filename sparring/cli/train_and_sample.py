"""Commands that train models and draw samples."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from sparring.cli.app import Device, Laws, Marks, TrustCode, app, recipe_fields
from sparring.console import say

if TYPE_CHECKING:
    from sparring.model import Model


@app.command(
    epilog="Examples:\n\n"
    "  sparring train digits --time 2m\n\n"
    "  sparring train photos/ --recipe dcgan --steps 50000 width=32 labels=true\n\n"
    "  sparring train photos/ --recipe dcgan --resume\n\n"
    "  sparring train photos/ --metrics 9101"
)
def train(
    data: Annotated[str, typer.Argument(help="A folder, a file, or a named data set: digits, mnist, ring, ...")],
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
        typer.Argument(metavar="[FIELD=VALUE]...", help="Values for the recipe's fields; see sparring recipes NAME."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or .py file. \\[default: chosen by the data]")] = "",
    out: Annotated[str, typer.Option(help="The run's folder. \\[default: runs/RECIPE-DATA]")] = "",
    steps: Annotated[Optional[int], typer.Option(help="Stop after this many steps.")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="Stop after this time: 90s, 10m, 1h30m.")] = "",
    seed: Annotated[int, typer.Option(help="Random seed; equal seeds give equal models.")] = 0,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    ranks: Annotated[int, typer.Option(help="Processes that share each batch, one per device.")] = 1,
    exact: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(
            "--exact/--no-exact",
            help="Let the model not depend on the number of ranks, not even by rounding. \\[default: on CPUs]",
        ),
    ] = None,
    until: Annotated[str, typer.Option(help="Stop early: equilibrium, plateau or fid<X.")] = "",
    memory: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Keep at most this much of the data in memory, such as 2G. \\[default: a quarter of the memory]"
        ),
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="A port, or HOST:PORT, where Prometheus reads metrics during training.")
    ] = "",
    like: Annotated[str, typer.Option(help="Folder of sparring tune, whose best recipe and fields are used.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the folder.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the run in the folder.")] = False,
) -> None:
    """Train a GAN on data. The run's folder receives samples, checkpoints and the model."""
    from sparring.training import train
    from sparring.training.launcher import find_launcher

    options = {
        "recipe": recipe or None, "out": out or None, "steps": steps, "time": time or None, "seed": seed,
        "device": device, "precision": precision, "ranks": ranks, "exact": exact, "until": until, "memory": memory,
        "resume": resume,
        "force": force, "metrics": metrics or None, "like": like or None,
    }  # fmt: skip
    model = train(data=data, **options, **recipe_fields(fields or [], train, options))  # type: ignore[arg-type]
    if find_launcher().rank:
        return  # the first rank says what to do next
    run = quote(out or f"runs/{model.recipe.name}-{model.about['name']}")
    say(f"\nLook at {run}/samples, then try:\n")
    own = model.recipe.own_file
    for command in _next_commands(model, run):
        say(f"  sparring {command}{' --trust-code' if own else ''}")
    if model.recipe.private:  # the noise was chosen for the steps that have been made
        return
    file = f" --recipe {quote(recipe)}" if own else ""
    say(f"  sparring train {quote(data)}{file} --out {run} --resume --steps {2 * model.about['step']}")


def _next_commands(model: Model, run: str) -> list[str]:
    """Commands that a user may want to type after a training."""
    source = model.modality.source
    if source is not None:
        mask = " --mask holes.png" if source.masked else ""
        suffix = model.modality.writers[0].suffix
        return [f"apply {run} input{suffix} -o output{suffix}{mask}", f"evaluate {run}"]
    suffix = model.modality.writers[0].suffix
    known = [ask for ask in model.modality.asks if ask.choices or model.modality.condition_columns]
    example = f" --{known[0].name} {quote(known[0].examples[0])}" if known else ""
    return [f"sample {run} -n 64 -o sheet.png", f"sample {run} -n 1000 -o samples{suffix} --seed 1{example}"]


class SampleCommand(TyperCommand):
    """`sparring sample`, whose help lists what samples of every kind of data can be asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from sparring.cli.asks import every_ask

        lines = [f"  --{ask.name}  {ask.help}" for ask in every_ask()]
        self.epilog = "\n\n".join(["What samples of some models can be asked for:", *lines, EXAMPLES])
        super().format_help(ctx, formatter)


EXAMPLES = """Examples:

  sparring sample runs/gan-digits -n 64 -o sheet.png

  sparring sample runs/gan-digits -n 1000 -o digits/ --seed 1

  sparring sample runs/acgan-digits -n 100 -o sevens/ --label 7

  sparring sample runs/r3gan_mlp-ring -n 2500 -o ring.csv

  sparring sample runs/r3gan_strided-characters -n 64 -o orcs.png --where kind=orc --palette real

  sparring sample runs/table-adult -n 1000 -o rich.csv --where 'income=>50K' --where 'age<30'

  sparring sample runs/series-prices -n 1000 --length 250 -o paths.csv

  sparring sample runs/gan-digits -n 1000000 -o million/ --worker 3/16"""


@app.command(
    cls=SampleCommand,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def sample(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A run's folder, or a model's.")],
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            help="Where samples are written; the suffix selects the format: a folder, .png or .npz for images; .csv, "
            ".npy, .npz, .png for points; .csv, .tsv, .parquet, .png for tables and series.",
        ),
    ],
    n: Annotated[int, typer.Option("-n", help="Number of samples.")] = 64,
    seed: Annotated[Optional[int], typer.Option(help="Makes the samples repeatable.")] = None,  # noqa: UP045
    truncation: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Draw latents within this many deviations: more typical, less diverse."),
    ] = None,
    device: Device = "auto",
    worker: Annotated[
        str, typer.Option(metavar="I/K", help="Draw the I-th of K shares, in parts, into the folder OUT; resumable.")
    ] = "",
    ranks: Annotated[int, typer.Option(help="Processes on this machine that draw, in parts, into the folder OUT.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    mark: Laws = None,
    marks: Marks = "",
    trust_code: TrustCode = False,
) -> None:
    """Draw samples from a trained model."""
    from sparring.cli import sample_parts
    from sparring.cli.asks import parse_asks
    from sparring.devices import own, resolve
    from sparring.model import load
    from sparring.provenance import Mark
    from sparring.training.launcher import find_launcher

    launcher = find_launcher()
    one = sample_parts.worker_of(worker, ranks, force, launcher)
    number = launcher.local_rank if one is None or launcher.several else one.number - 1
    model = load(run, str(own(resolve(device), number)), trust_code)
    marking = Mark.of(model, mark, marks) if mark else None
    if one is not None:
        from sparring.use.parts import Parts

        asked = parse_asks(context.args, model.modality)
        parts = Parts(model, n, asked, Path(out), seed or 0, truncation, tuple(mark or ()))
        for note in parts.request.notes:
            say(note)
        command = ["sample", run, "-o", out, "-n", str(n), "--seed", str(seed or 0), "--device", device, *context.args]
        command += ["--truncation", str(truncation)] if truncation is not None else []
        command += [word for law in mark or () for word in ("--mark", law)]
        command += (["--marks", marks] if marks else []) + (["--trust-code"] if trust_code else [])
        sample_parts.draw(parts, one, ranks, marking, command)
        return
    model.modality.check_writable(Path(out), force)
    request = model.request(**parse_asks(context.args, model.modality))
    for note in request.notes:
        say(note)
    samples = model.sample_request(n, request, seed, truncation)
    samples.save(out, force, marking)
    for note in (*samples.notes, *(marking.notes(samples) if marking else ())):
        say(note)
    say(f"{n} {model.modality.words.items} in {out}")
