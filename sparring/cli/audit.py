"""The command that attacks models and files of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from sparring.cli.app import AsJson, Device, FeatureNames, TrustCode, app, recipe_fields
from sparring.console import Console, number_table, print_wide, say
from sparring.errors import InputError

if TYPE_CHECKING:
    from sparring.evaluation.audit_results import Audit


@app.command(
    epilog="Examples:\n\n"
    "  sparring audit runs/table-patients\n\n"
    "  sparring audit runs/photos --features imagenet\n\n"
    "  sparring audit synthetic.csv --against train.csv --held other.csv -o audit.html"
)
def audit(
    model: Annotated[
        str, typer.Argument(metavar="RUN|FILE", help="A run's folder, a model's, or samples of any tool.")
    ],
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[FIELD=VALUE]...", help="How files are read; see sparring recipes NAME."),
    ] = None,
    against: Annotated[str, typer.Option(help="For a FILE: all items that the tool was trained on.")] = "",
    held: Annotated[str, typer.Option(help="For a FILE: other real items, which the tool has not seen.")] = "",
    recipe: Annotated[
        str, typer.Option(help="For a FILE: the recipe that reads the data. \\[default: chosen by the data]")
    ] = "",
    out: Annotated[
        str, typer.Option("-o", "--out", help="The report of a FILE (.html). \\[default: on the screen only]")
    ] = "",
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            help="Samples that attacks use. \\[default: as many as training items, 1000 to 10000; of a FILE, all up to "
            "10000]"
        ),
    ] = None,
    features: FeatureNames = None,
    device: Device = "auto",
    json: AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Attack a model, or samples of any tool: can somebody find out which items it was trained on?"""
    from sparring.evaluation.audit import audit as audit_model
    from sparring.evaluation.audit import audit_file
    from sparring.evaluation.audit_page import html, record
    from sparring.files import as_json, write_text
    from sparring.model.hub import beside

    if bool(against) != bool(held):
        given, missing = ("--against", "--held") if against else ("--held", "--against")
        raise InputError(f"{given} was given without {missing}; the attacks on a file need both")
    if against:
        pages = _checked_page(out, force)
        read = recipe_fields(fields or [], audit_file)
        found = audit_file(model, against, held, recipe or None, samples, features or (), device, quiet=json, **read)
        for page in pages:
            write_text(page, html(found, f"Privacy audit of {Path(model).name}"))
    else:
        _refuse_options_of_files(model, fields or [], {"--recipe": recipe, "-o": out, "--force": force})
        found = audit_model(model, samples, features or (), device, quiet=json, trust=trust_code)
        pages = [record(beside(model), found)]
    if json:
        say(as_json(found.content()))
        return
    _show_audit(found, pages)


def _checked_page(out: str, force: bool) -> list[Path]:
    """The page that is asked for, if one is and it can be written."""
    from sparring.files import check_output

    pages = [Path(out)] if out else []
    for page in pages:
        if page.suffix != ".html":
            raise InputError(f"-o {page} is not the name of a page; give one that ends in .html")
        check_output(page, force, file=True)
    return pages


def _refuse_options_of_files(model: str, fields: list[str], options: dict[str, object]) -> None:
    """Check that a model is given, and nothing that is for files of samples alone."""
    from sparring.model.stored import SINGLE

    if Path(model).is_file() and Path(model).suffix != SINGLE:
        raise InputError(f"{model} is a file of samples; give the data of its tool, too: --against and --held")
    if unused := [*fields, *(name for name, value in options.items() if value)]:
        raise InputError(f"{unused[0]} is for files of samples, with --against and --held; leave it out")


def _show_audit(found: Audit, pages: list[Path]) -> None:
    """Print what an audit found, and where its report is, if there is one."""
    from sparring.evaluation.audit_page import attribute_rows, epsilon_words, rows

    console = Console()
    console.print()
    print_wide(number_table(rows(found)))
    if found.attributes:
        console.print()
        print_wide(number_table(attribute_rows(found)))
    console.print(f"\n{found.protocol}.\n", markup=False, soft_wrap=True)
    for line in (found.verdict, epsilon_words(found), *(f"the report is {page}" for page in pages)):
        console.print(f"- {line}", markup=False, soft_wrap=True)
