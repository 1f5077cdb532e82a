"""The command that searches for the best values of a recipe's fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import Device, app
from sparring.console import say
from sparring.errors import InputError


@app.command(
    epilog="Examples:\n\n"
    "  sparring tune photos/ gamma=log:0.05..5 width=16,32,64 --trials 20 --time 5m\n\n"
    "  sparring tune digits --recipe gan 'G=64|128|128,256' lr=log:1e-4..1e-2 --steps 3000 --workers 2\n\n"
    "  sparring tune --join runs/tune-r3gan_strided-photos\n\n"
    "  sparring train photos/ --like runs/tune-r3gan_strided-photos --time 2h"
)
def tune(
    data: Annotated[str, typer.Argument(help="As for sparring train.")] = "",
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[FIELD=VALUES]...", help="FIELD=A,B,C, FIELD=LOW..HIGH, FIELD=log:LOW..HIGH, or one FIELD=VALUE."
        ),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or .py file. \\[default: chosen by the data]")] = "",
    out: Annotated[str, typer.Option(help="Folder of the search. \\[default: runs/tune-RECIPE-DATA]")] = "",
    trials: Annotated[int, typer.Option(help="Number of runs.")] = 20,
    finals: Annotated[int, typer.Option(help="The best that are trained again with two other seeds.")] = 3,
    workers: Annotated[int, typer.Option(help="Runs at the same time on this machine.")] = 1,
    steps: Annotated[Optional[int], typer.Option(help="Bound of each run.")] = None,  # noqa: UP045
    time: Annotated[str, typer.Option(help="Bound of each run: 90s, 10m, 1h30m.")] = "",
    device: Device = "auto",
    join: Annotated[str, typer.Option(help="Work for the search in this folder, which another command began.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Continue the search in the folder.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the search in the folder.")] = False,
) -> None:
    """Search for good values of a recipe's fields: many runs, of which the worse ones end early."""
    from sparring.tuning.search import join as work
    from sparring.tuning.search import tune as search

    if join:
        if data or fields:
            raise InputError(f"--join {join} takes the data and fields of that search; remove {data!r}")
        work(Path(join))
        return
    if not data:
        raise InputError("no data were given; write sparring tune DATA FIELD=VALUES, or --join FOLDER")
    tuned = search(
        data, fields or [], recipe=recipe, out=out or None, trials=trials, finals=finals, workers=workers, steps=steps,
        time=time or None, device=device, resume=resume, force=force,
    )  # fmt: skip
    say(f"\n{tuned.trials} trials, {tuned.pruned} of them ended early, {tuned.failed} failed; best:")
    values = ", ".join(f"{value:.4g}" for value in tuned.winner.values)
    say(f"  {' '.join(tuned.winner.fields)}  ({tuned.winner.metric} {values})")
    say(f"\nLook at {tuned.folder}/README.md, then try:\n\n  sparring train {data} --like {tuned.folder}")
