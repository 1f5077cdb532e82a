"""The application that commands are added to, and what several of them share."""

from collections.abc import Callable, Collection, Sequence
from inspect import signature
from typing import Annotated, Any, Optional

import typer

from sparring.errors import InputError

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
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")]
FeatureNames = Annotated[
    Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
    typer.Option(help="As for sparring evaluate; repeatable."),
]
Laws = Annotated[
    Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
    typer.Option("--mark", help="Mark what is generated: eu (machine-readable) or cn (a visible label); repeatable."),
]
Marks = Annotated[
    str, typer.Option(metavar="FOLDER", help="Whose marks, from sparring marks. \\[default: $SPARRING_MARKS]")
]


def recipe_fields(given: Sequence[str], function: Callable[..., Any], options: Collection[str] = ()) -> dict[str, Any]:
    """FIELD=VALUE as typed, for a function whose keyword arguments are the fields of a recipe.

    Args:
        options: names of the command's options.

    Raises:
        InputError: if something else was typed, or one has the name of an option or of another argument of the
            function.
    """
    from sparring.recipes.base import parse

    fields = parse(given)
    for name, value in fields.items():
        if name in options:
            raise InputError(f"{name}={value} is an option, not a field of a recipe; write --{name} {value}")
        if name in signature(function).parameters:
            raise InputError(f"{name}={value} is not a field of a recipe; see the options with --help")
    return fields
