"""Commands that publish models, and check what was published."""

from __future__ import annotations

from typing import Annotated

import typer

from sparring.cli.app import app
from sparring.console import say


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
