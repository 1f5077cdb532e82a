"""The application that commands are added to."""

from typing import Annotated, Optional

import typer

app = typer.Typer(
    name="sparring",
    help="Train, evaluate, explore and deploy generative adversarial networks.",
    epilog="Begin with:  sparring train digits --time 2m",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


TrustCode = Annotated[
    bool, typer.Option("--trust-code", help="Run the recipe file (.py) that a model names; give it if you trust it.")
]
Laws = Annotated[
    Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
    typer.Option("--mark", help="Mark what is generated: eu (machine-readable) or cn (a visible label); repeatable."),
]
Marks = Annotated[
    str, typer.Option(metavar="FOLDER", help="Whose marks, from sparring marks. \\[default: $SPARRING_MARKS]")
]
