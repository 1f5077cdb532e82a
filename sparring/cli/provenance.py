"""Commands about where files come from: marks, and what tells them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from sparring.cli.app import Marks, TrustCode, app
from sparring.console import Screen, number_table, print_wide, say
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
    from sparring.provenance.marker import check, create
    from sparring.provenance.reading import read_bytes
    from sparring.provenance.training import judged_lines, trained

    pem = [read_bytes(Path(file)) if file else b"" for file in (certificate, key)]
    check(Path(folder), producer, pem[0], pem[1], force)
    mark, judged = trained(watermark, steps, Screen(), trust_code) if watermark else (None, {})
    create(Path(folder), producer, pem[0], pem[1], mark, judged, force)
    for line in judged_lines(judged):
        say(line)
    say(f"the marks of {producer} are in {folder}; keep it secret: it holds a private key")


@app.command(
    epilog="Examples:\n\n"
    "  sparring sign runs/photos --key key.pem\n\n"
    "  sparring --verify-key public.pem sample runs/photos -o sheet.png"
)
def sign(
    run: Annotated[str, typer.Argument(help="A run's folder, a model's, or a model in one file.")],
    key: Annotated[str, typer.Option(metavar="FILE", help="PEM with a private key of an elliptic curve.")],
) -> None:
    """Sign a model, so that others can make sure that it is yours. Signatures are not pushed to the Hub."""
    from sparring.signing import sign as sign_model

    path = Path(run)
    place = path / "model" if (path / "model").is_dir() else path
    if not place.exists():
        raise InputError(f"there is no model in {run}; give the folder of a run")
    say(f"the signature is {sign_model(place, Path(key))}; publish it with the model")


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


@app.command(
    epilog="Examples:\n\n"
    "  sparring detector runs/photos -o detector/\n\n"
    "  sparring detector runs/dcgan-photos runs/fastgan-photos -o detector/ --unseen runs/lsgan-photos"
)
def detector(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs whose pictures are to be recognized.")],
    out: Annotated[str, typer.Option("-o", "--out", help="Folder of the detector.")],
    unseen: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="RUN", help="A run whose pictures it is judged with, and not trained on; repeatable."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the training of its net.")] = 600,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Train a detector of pictures that models generate, and say how often it is wrong."""
    from sparring.folders import check_folder
    from sparring.provenance.detect import judged_rows
    from sparring.provenance.detecting import trained
    from sparring.provenance.detector import DETECTOR

    check_folder(Path(out), DETECTOR, force)
    found = trained(runs, unseen or (), Screen(), steps, trust_code)
    found.save(Path(out), force)
    print_wide(number_table(judged_rows(found.about)))
    say(f"the detector is in {out}")


@app.command(
    epilog="Examples:\n\n"
    "  sparring detect picture.png --by detector/\n\n"
    "  sparring detect downloads/ --by detector/ -o detected/"
)
def detect(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Pictures, and folders of pictures.")],
    by: Annotated[str, typer.Option(metavar="DETECTOR", help="Folder that sparring detector has written.")],
    out: Annotated[str, typer.Option("-o", "--out", help="Folder for a table, and a heat map of each picture.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Say which pictures the models of a detector have generated, how surely, and what gives them away."""
    from sparring.provenance.detect import detect as look
    from sparring.provenance.detect import limits, rows

    found, known = look([Path(file) for file in files], Path(by), Path(out) if out else None, force, trust_code)
    print_wide(number_table(rows(found)))
    for line in limits(known.about):
        say(f"- {line}")
