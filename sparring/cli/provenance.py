"""Commands about where files come from: marks, and what tells them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import Marks, TrustCode, app
from sparring.console import Screen, say
from sparring.errors import InputError


@app.command(
    epilog="Examples:\n\n"
    "  sparring marks marks/ --producer 'Example Ltd'\n\n"
    "  sparring marks marks/ --producer 'Example Ltd' --watermark runs/photos\n\n"
    "  sparring marks marks/ --producer 'Example Ltd' --certificate chain.pem --key key.pem"
)
def marks(
    folder: Annotated[str, typer.Argument(help="Where the marks are kept; it holds a private key.")],
    producer: Annotated[str, typer.Option(help="Who answers for what models generate: a person, or a company.")],
    certificate: Annotated[
        str, typer.Option(metavar="FILE", help="PEM with a certificate and those that vouch for it. \\[default: own]")
    ] = "",
    key: Annotated[str, typer.Option(metavar="FILE", help="PEM with its private key.")] = "",
    watermark: Annotated[
        Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
        typer.Option(metavar="RUN", help="Train a watermark on pictures of this run; may be repeated."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of that training.")] = 3000,
    force: Annotated[bool, typer.Option("--force", help="Replace the marks in FOLDER.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Make marks for what models generate: a certificate, and a watermark."""
    from sparring.provenance.marker import create
    from sparring.provenance.training import judged_lines, trained

    pem = [Path(file).read_bytes() if file else b"" for file in (certificate, key)]
    mark, judged = trained(watermark, steps, Screen(), trust_code) if watermark else (None, {})
    create(Path(folder), producer, pem[0], pem[1], mark, judged, force)
    for line in judged_lines(judged):
        say(line)
    say(f"the marks of {producer} are in {folder}; keep it secret: it holds a private key")


@app.command(epilog="Examples:\n\n  sparring whose picture.png\n\n  sparring whose downloads/*.png --marks marks/")
def whose(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files of any kind.")],
    marks: Marks = "",
) -> None:
    """Say which model made a file, by its marks, or that this cannot be told."""
    import os

    from sparring.provenance import VARIABLE, find
    from sparring.provenance import whose as read

    marker = find(marks) if marks or os.environ.get(VARIABLE) else None
    for file in files:
        if Path(file).is_dir():
            raise InputError(f"{file} is a folder; give the files in it")
        verdict = read(Path(file), marker)
        say(f"{file}: {verdict.words}")
        for one in verdict.evidence:
            say(f"  {one.kind}: {one.says}")
